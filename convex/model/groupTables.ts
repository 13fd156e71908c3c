/** What those who look after a server or group have set there, and what the bot's operator has set everywhere. */
import { defineTable } from "convex/server";
import { v } from "convex/values";

export const auditAction = v.union(
  v.literal("configured"),
  v.literal("banned"),
  v.literal("unbanned"),
  v.literal("announced"),
);

/** What was done: the settings that were given, or the words of an announcement. Never an account. */
export const auditDetails = v.record(
  v.string(),
  v.union(v.string(), v.number(), v.null(), v.array(v.string())),
);

/** A `group` is a bot, a platform and the id of a server or group there, as in `b1/discord:42` (model/groups.ts). */
export const groupTables = {
  /**
   * Settings of a group; a group that nobody has set anything for has no row.
   * Written by groups:configure, moved. Read by groups:*, startGeneration and refunds. Deleted by groups:left.
   */
  groups: defineTable({
    group: v.string(),
    /** The only chats in which pieces are made. */
    allowedChats: v.optional(v.array(v.string())),
    /** Pieces an hour, where that is fewer than the deployment allows. */
    perHour: v.optional(v.number()),
    longestS: v.optional(v.number()),
    updatedAt: v.number(),
  }).index("by_group", ["group"]),

  /**
   * Who may have nothing made: an account by its SHA-256, in a group or ("" for the group) anywhere.
   * Written by groups:ban, banEverywhere, moved. Read by groups:*, startGeneration, shares:*, playlists:*. Deleted by
   * groups:unban, unbanEverywhere, left. It outlives the account's user, or a ban would end with a deletion; the name
   * does not.
   */
  bans: defineTable({
    group: v.string(),
    hash: v.string(),
    name: v.optional(v.string()),
    createdAt: v.number(),
  })
    .index("by_group", ["group", "hash"])
    .index("by_hash", ["hash"]),

  /**
   * Who changed what in a group, or ("" for the group) everywhere.
   * Written by groups:configure, ban, unban, banEverywhere, unbanEverywhere, announce. Read by groups:audit, auditAll.
   * Deleted by groups:left, and by cleanup:purgeAudit after a year. Names go with their users.
   */
  audit: defineTable({
    group: v.string(),
    action: auditAction,
    /** The account of who did it, `bot:…` for the operator, or "somebody" who is deleted since. */
    account: v.string(),
    name: v.optional(v.string()),
    /** Whom it was done to, by the SHA-256 of the account. */
    subject: v.optional(v.string()),
    subjectName: v.optional(v.string()),
    details: auditDetails,
    createdAt: v.number(),
  })
    .index("by_group", ["group", "createdAt"])
    .index("by_account", ["account"])
    .index("by_subject", ["subject"])
    .index("by_time", ["createdAt"]),

  /**
   * What the operator wants everybody to read now, such as that there is maintenance: one row a bot at most.
   * Written and deleted by groups:announce. Read by groups:rules, deliveries:watch.
   */
  announcements: defineTable({
    bot: v.string(),
    text: v.string(),
    createdAt: v.number(),
  }).index("by_bot", ["bot"]),
};
