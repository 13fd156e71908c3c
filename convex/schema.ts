import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
import { accountTables } from "./model/accountTables";
import { catalogueTables, ragaFields, tradition } from "./model/catalogueTables";
import { groupTables } from "./model/groupTables";
import { migrationTables } from "./model/migrationTables";
import { sharingTables } from "./model/sharingTables";

export { ragaFields, tradition };

/** What is asked of a piece. `duration` in seconds, `tempo` in matras a minute, `key` the note of Sa. */
const requestFields = {
  musicType: v.union(v.literal("instrumental"), v.literal("vocal")),
  instruments: v.optional(v.array(v.string())),
  voice: v.optional(v.string()),
  mood: v.string(),
  theme: v.string(),
  duration: v.number(),
  tempo: v.optional(v.number()),
  key: v.optional(v.string()),
  raga: v.optional(v.string()),
  tradition: v.optional(tradition),
  tala: v.optional(v.string()),
  /** A manner of song, such as `dhrupad`. */
  style: v.optional(v.string()),
  seed: v.optional(v.number()),
};

/** A stored request; `after` is the piece that this one is another take of. */
export const storedRequest = v.object({
  ...requestFields,
  after: v.optional(v.id("musicGenerations")),
});

/** A request as it arrives; `after` is checked by the function, so that a mistyped id gets a kind answer. */
export const givenRequest = v.object({ ...requestFields, after: v.optional(v.string()) });

export const metadata = v.object({
  title: v.string(),
  performer: v.string(),
  durationS: v.number(),
  tonicHz: v.number(),
  tempoBpm: v.number(),
  tala: v.string(),
  sizeBytes: v.number(),
  /** The fingerprint of its score, by which it is known whether its request still makes the same piece. */
  score: v.optional(v.string()),
});

/** The same for a row that came from elsewhere, where not everything is known. */
export const storedMetadata = v.object({
  title: v.string(),
  performer: v.optional(v.string()),
  durationS: v.optional(v.number()),
  tonicHz: v.optional(v.number()),
  tempoBpm: v.optional(v.number()),
  tala: v.optional(v.string()),
  sizeBytes: v.optional(v.number()),
  score: v.optional(v.string()),
  extra: v.optional(v.record(v.string(), v.union(v.string(), v.number(), v.boolean()))),
});

export const generationStatus = v.union(
  v.literal("processing"),
  v.literal("completed"),
  v.literal("failed"),
);

export const preferences = v.record(v.string(), v.union(v.string(), v.number(), v.boolean()));

export default defineSchema({
  ...catalogueTables,

  /**
   * People.
   * Written by every function for users that keeps something, at a person's first such call. Read by every
   * function for users. Deleted by privacy:deleteMe, and a day after they became part of another.
   */
  users: defineTable({
    email: v.optional(v.string()),
    name: v.optional(v.string()),
    preferences: v.optional(preferences),
    createdAt: v.number(),
    /** Set while the user whom this one became part of may still be parted from them. */
    mergedInto: v.optional(v.id("users")),
    /** Since when everything of theirs is being deleted. */
    deletingAt: v.optional(v.number()),
  })
    .index("by_email", ["email"])
    .index("by_deletion", ["deletingAt"]),

  /**
   * The chat accounts (and sign-ins by OpenID Connect) of a person: which user a token belongs to.
   * Written with the user, links:confirm, links:undo. Read by every function for users, accounts:me. Deleted by
   * accounts:unlink and privacy:deleteMe.
   */
  accounts: defineTable({
    /** `discord:123` for the bot's tokens, Convex's token identifier (`issuer|subject`) for others. */
    account: v.string(),
    userId: v.id("users"),
    platform: v.string(),
    name: v.optional(v.string()),
    /** The bot that it was last seen through. */
    bot: v.optional(v.string()),
    createdAt: v.number(),
  })
    .index("by_account", ["account"])
    .index("by_user", ["userId"]),

  /**
   * Pieces: asked for, under way, finished.
   * Written by musicGeneration:startGeneration, jobs:* (progress and outcome), favorites:* (isFavorite), cancel, rename,
   * shares:* (shared).
   * Read by musicGeneration:*, deliveries:watch, files:getFileUrl. Deleted by musicGeneration:remove.
   */
  musicGenerations: defineTable({
    userId: v.id("users"),
    account: v.optional(v.string()),
    /** The server or group that it was asked for in, by its key (model/groups.ts). */
    group: v.optional(v.string()),
    request: storedRequest,
    status: generationStatus,
    audioFileId: v.optional(v.id("_storage")),
    metadata: v.optional(storedMetadata),
    /** Per cent. Set from the moment a worker has taken the piece up; absent while it waits. */
    progress: v.optional(v.number()),
    stage: v.optional(v.string()),
    secondsLeft: v.optional(v.number()),
    attempt: v.optional(v.number()),
    /** A sentence for the person who asked. */
    error: v.optional(v.string()),
    errorCode: v.optional(v.string()),
    /** The name that its owner gave it. */
    title: v.optional(v.string()),
    /** Mirrors the piece's row in `shares`. */
    shared: v.optional(v.boolean()),
    /** Mirrors the owner's row in `favorites`. */
    isFavorite: v.boolean(),
    idempotencyKey: v.optional(v.string()),
    createdAt: v.number(),
    completedAt: v.optional(v.number()),
  })
    .index("by_user", ["userId", "createdAt"])
    .index("by_status", ["status"])
    .index("by_user_favorites", ["userId", "isFavorite", "createdAt"])
    .index("by_user_and_status", ["userId", "status", "createdAt"])
    .index("by_user_and_idempotency_key", ["userId", "idempotencyKey"])
    .index("by_account", ["account"])
    .index("by_after", ["request.after"])
    .index("by_audio_file", ["audioFileId"]),

  /**
   * The queue: one row for each piece that is waiting or being made.
   * Written by startGeneration, processGeneration, jobs:*. Read by jobs:*, and its waiting range by
   * deliveries:watch and by views that show a position. Deleted by jobs:complete, jobs:fail, cancel, remove,
   * and by jobs:claim where the piece is gone.
   */
  jobs: defineTable({
    generationId: v.id("musicGenerations"),
    state: v.union(v.literal("waiting"), v.literal("running")),
    worker: v.optional(v.string()),
    leaseUntil: v.optional(v.number()),
    /** How often the piece was taken up. */
    attempt: v.number(),
    createdAt: v.number(),
  })
    .index("by_state_and_creation", ["state", "createdAt"])
    .index("by_generation", ["generationId"])
    .index("by_lease", ["state", "leaseUntil"])
    .index("by_worker", ["worker"]),

  /**
   * Which message of which bot shows which piece.
   * Written by startGeneration, deliveries:done, deliveries:move. Read by deliveries:watch (open ones),
   * favorites:setByMessage, and by the question who may see a piece. Deleted with the piece, by groups:left, and by
   * cleanup:purgeDeliveries 90 days after they were done.
   */
  deliveries: defineTable({
    generationId: v.id("musicGenerations"),
    bot: v.string(),
    platform: v.string(),
    chat: v.string(),
    message: v.string(),
    /** The server or group of the chat, by its key (model/groups.ts). */
    group: v.optional(v.string()),
    account: v.string(),
    state: v.union(v.literal("open"), v.literal("done")),
    createdAt: v.number(),
    doneAt: v.optional(v.number()),
  })
    .index("by_bot_and_state", ["bot", "state"])
    .index("by_generation", ["generationId", "bot", "platform", "chat"])
    .index("by_message", ["bot", "platform", "chat", "message"])
    .index("by_group", ["bot", "group"])
    .index("by_account", ["account"])
    .index("by_state_and_done", ["state", "doneAt"]),

  /**
   * What a person keeps: a piece, or a raga by name and tradition.
   * Written and deleted by favorites:* and toggleFavorite; deleted with the piece. Read by favorites:list, views,
   * and by the question who may see a piece.
   */
  favorites: defineTable({
    userId: v.id("users"),
    kind: v.union(v.literal("generation"), v.literal("raga")),
    generationId: v.optional(v.id("musicGenerations")),
    raga: v.optional(v.string()),
    tradition: v.optional(tradition),
    createdAt: v.number(),
  })
    .index("by_user", ["userId", "createdAt"])
    .index("by_user_and_generation", ["userId", "generationId"])
    .index("by_user_and_raga", ["userId", "raga", "tradition"])
    .index("by_generation", ["generationId"]),

  /**
   * Answers of calls that must not run twice, by the caller's idempotency key.
   * Written by favorites:*, toggleFavorite, cancel, remove. Read by the same and by startGeneration. Deleted by
   * cleanup:purgeReplays after 7 days.
   */
  replays: defineTable({
    userId: v.id("users"),
    /** The operation and the key, as in `favorite:…`. */
    key: v.string(),
    result: v.union(v.boolean(), v.string(), v.null()),
    createdAt: v.number(),
  })
    .index("by_user_and_key", ["userId", "key"])
    .index("by_creation", ["createdAt"]),
  ...accountTables,
  ...groupTables,
  ...sharingTables,
  ...migrationTables,
});
