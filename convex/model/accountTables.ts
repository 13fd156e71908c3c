/** What linking accounts needs, and what a bot has to tell people. */
import { rateLimitTables } from "convex-helpers/server/rateLimit";
import { defineTable } from "convex/server";
import { v } from "convex/values";

/** One of the two accounts of a link, as they stood when they came. */
export const side = v.object({
  userId: v.id("users"),
  account: v.string(),
  platform: v.string(),
  name: v.optional(v.string()),
  bot: v.optional(v.string()),
  confirmed: v.boolean(),
});

export const noticeKind = v.union(
  v.literal("link_asked"),
  v.literal("linked"),
  v.literal("link_declined"),
  v.literal("link_undone"),
  v.literal("unlinked"),
  v.literal("deleted"),
);

export const noticeDetails = v.record(v.string(), v.union(v.string(), v.number()));

export const accountTables = {
  /**
   * Secrets by which two accounts become one person's. The secret itself is never here, only its SHA-256.
   * Written by links:*. Read by the same. Deleted by cleanup:purgeLinks a day after they ended, and with their user.
   */
  links: defineTable({
    hash: v.string(),
    kind: v.union(v.literal("code"), v.literal("link")),
    state: v.union(v.literal("open"), v.literal("redeemed"), v.literal("linked"), v.literal("ended")),
    issuer: side,
    redeemer: v.optional(side),
    createdAt: v.number(),
    expiresAt: v.number(),
    mergeId: v.optional(v.id("merges")),
  })
    .index("by_hash", ["hash"])
    .index("by_issuer", ["issuer.account", "state"])
    .index("by_redeemer", ["redeemer.account", "state"])
    .index("by_expiry", ["expiresAt"]),

  /**
   * Two users that became one, and all that is needed to part them again.
   * Written by links:confirm. Read and deleted by links:undo, cleanup:settleMerges after a day, accounts:unlink, and
   * with their user.
   */
  merges: defineTable({
    keptId: v.id("users"),
    absorbedId: v.id("users"),
    /** The accounts that came along. */
    accounts: v.array(v.string()),
    /** What the kept user was like before. */
    before: v.object({
      name: v.optional(v.string()),
      email: v.optional(v.string()),
      preferences: v.optional(v.record(v.string(), v.union(v.string(), v.number(), v.boolean()))),
    }),
    createdAt: v.number(),
    until: v.number(),
  })
    .index("by_kept", ["keptId", "createdAt"])
    .index("by_absorbed", ["absorbedId"])
    .index("by_until", ["until"]),

  /**
   * Which rows a merge moved or changed, up to 1,000 a row.
   * Written by links:confirm. Read by links:undo. Deleted with the merge.
   */
  mergeMoves: defineTable({
    mergeId: v.id("merges"),
    table: v.union(
      v.literal("musicGenerations"),
      v.literal("favorites"),
      v.literal("corrections"),
      v.literal("replays"),
      v.literal("accounts"),
      v.literal("shares"),
      v.literal("shareGuests"),
      v.literal("playlistMembers"),
      v.literal("playlistEntries"),
    ),
    /**
     * `moved`: now the kept user's. `aside`: the kept user's before, and now the absorbed one's, because the row that
     * came says more. `hearted`: pieces whose heart was not set before.
     */
    what: v.union(v.literal("moved"), v.literal("aside"), v.literal("hearted")),
    ids: v.array(v.string()),
  }).index("by_merge", ["mergeId"]),

  /**
   * What a bot has to tell an account of its own in private.
   * Written by links:*, accounts:unlink, privacy:*. Read by deliveries:watch. Deleted by notices:done, and by
   * cleanup:purgeNotices after 7 days.
   */
  notices: defineTable({
    bot: v.string(),
    account: v.string(),
    platform: v.string(),
    kind: noticeKind,
    details: noticeDetails,
    createdAt: v.number(),
  })
    .index("by_bot", ["bot"])
    .index("by_account", ["account"])
    .index("by_creation", ["createdAt"]),

  /**
   * How much of each allowance is left: one row for each allowance and whom it belongs to (a user's id, or an account for
   * tries of link codes).
   * Written by model/allowances. Read by the same. Deleted with the user, and by cleanup:purgeAllowances once it is full
   * again.
   */
  ...rateLimitTables,
};
