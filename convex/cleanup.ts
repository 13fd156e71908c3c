/** What time takes away, in batches that each fit into a transaction; run by crons. */
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation } from "./_generated/server";
import { settle } from "./model/merging";
import { deleteUnusedFile, sweepAfter } from "./model/pieces";

const BATCH = 200;
const DAY_MS = 86_400_000;
const REPLAYS_KEPT_MS = 7 * DAY_MS;
const DONE_DELIVERIES_KEPT_MS = 90 * DAY_MS;
const UNSHOWN_DELIVERIES_KEPT_MS = 7 * DAY_MS;
const UPLOADS_KEPT_MS = DAY_MS;
const NOTICES_KEPT_MS = 7 * DAY_MS;
const AUDIT_KEPT_MS = 365 * DAY_MS;

/** Forgets idempotency keys: no platform repeats an event after so long. */
export const purgeReplays = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const old = await ctx.db
      .query("replays")
      .withIndex("by_creation", (q) => q.lt("createdAt", Date.now() - REPLAYS_KEPT_MS))
      .take(BATCH);
    for (const replay of old) await ctx.db.delete("replays", replay._id);
    if (old.length === BATCH) await ctx.scheduler.runAfter(0, internal.cleanup.purgeReplays, {});
    return null;
  },
});

/**
 * Forgets deliveries long done, and gives up those that nobody could show for a week after their piece was asked for, so
 * that they do not fill a bot's subscription for ever.
 */
export const purgeDeliveries = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const now = Date.now();
    const done = await ctx.db
      .query("deliveries")
      .withIndex("by_state_and_done", (q) =>
        q.eq("state", "done").lt("doneAt", now - DONE_DELIVERIES_KEPT_MS),
      )
      .take(BATCH);
    for (const delivery of done) await ctx.db.delete("deliveries", delivery._id);
    const unshown = await ctx.db
      .query("deliveries")
      .withIndex("by_state_and_done", (q) =>
        q.eq("state", "open").eq("doneAt", undefined).lt("_creationTime", now - UNSHOWN_DELIVERIES_KEPT_MS),
      )
      .take(BATCH);
    for (const delivery of unshown) {
      await ctx.db.patch("deliveries", delivery._id, { state: "done", doneAt: now });
    }
    if (done.length === BATCH || unshown.length === BATCH) {
      await ctx.scheduler.runAfter(0, internal.cleanup.purgeDeliveries, {});
    }
    return null;
  },
});

/**
 * Deletes uploads that no piece took up within a day, walking over all files page by page. The time goes along with
 * the cursor: Convex refuses a cursor in a query with another range than the one that gave it.
 */
export const purgeFiles = internalMutation({
  args: { from: v.optional(v.object({ cursor: v.string(), before: v.number() })) },
  returns: v.null(),
  handler: async (ctx, { from }) => {
    const before = from?.before ?? Date.now() - UPLOADS_KEPT_MS;
    const files = await ctx.db.system
      .query("_storage")
      .withIndex("by_creation_time", (q) => q.lt("_creationTime", before))
      .paginate({ numItems: BATCH, cursor: from?.cursor ?? null });
    for (const file of files.page) await deleteUnusedFile(ctx, file._id);
    if (!files.isDone) {
      await ctx.scheduler.runAfter(0, internal.cleanup.purgeFiles, {
        from: { cursor: files.continueCursor, before },
      });
    }
    return null;
  },
});

/** Forgets links a day after they ended, whatever came of them. */
export const purgeLinks = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const old = await ctx.db
      .query("links")
      .withIndex("by_expiry", (q) => q.lt("expiresAt", Date.now() - DAY_MS))
      .take(BATCH);
    for (const link of old) await ctx.db.delete("links", link._id);
    if (old.length === BATCH) await ctx.scheduler.runAfter(0, internal.cleanup.purgeLinks, {});
    return null;
  },
});

/** Makes links final that can no longer be taken back. */
export const settleMerges = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const old = await ctx.db
      .query("merges")
      .withIndex("by_until", (q) => q.lt("until", Date.now()))
      .first();
    if (old === null) return null;
    await settle(ctx, old);
    await ctx.scheduler.runAfter(0, internal.cleanup.settleMerges, {});
    return null;
  },
});

/** Gives notices up that nobody could be told for a week. */
export const purgeNotices = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const old = await ctx.db
      .query("notices")
      .withIndex("by_creation", (q) => q.lt("createdAt", Date.now() - NOTICES_KEPT_MS))
      .take(BATCH);
    for (const notice of old) await ctx.db.delete("notices", notice._id);
    if (old.length === BATCH) await ctx.scheduler.runAfter(0, internal.cleanup.purgeNotices, {});
    return null;
  },
});

/** Forgets what was used of an allowance once so long has passed that all of it is there again. */
export const purgeAllowances = internalMutation({
  args: { from: v.optional(v.string()) },
  returns: v.null(),
  handler: async (ctx, { from }) => {
    const found = await ctx.db.query("rateLimits").paginate({ numItems: BATCH, cursor: from ?? null });
    const full = Date.now() - 2 * DAY_MS;
    for (const row of found.page) if (row.ts < full) await ctx.db.delete("rateLimits", row._id);
    if (!found.isDone) await ctx.scheduler.runAfter(0, internal.cleanup.purgeAllowances, { from: found.continueCursor });
    return null;
  },
});

/** Goes on deleting what hung on a piece that was removed. */
export const sweepAfterPiece = internalMutation({
  args: { generationId: v.id("musicGenerations") },
  returns: v.null(),
  handler: async (ctx, { generationId }) => {
    await sweepAfter(ctx, generationId);
    return null;
  },
});

/** Goes on forgetting who had opened a link that was revoked. */
export const sweepAfterShare = internalMutation({
  args: { shareId: v.id("shares") },
  returns: v.null(),
  handler: async (ctx, { shareId }) => {
    const guests = await ctx.db
      .query("shareGuests")
      .withIndex("by_share", (q) => q.eq("shareId", shareId))
      .take(BATCH);
    for (const guest of guests) await ctx.db.delete("shareGuests", guest._id);
    if (guests.length === BATCH) await ctx.scheduler.runAfter(0, internal.cleanup.sweepAfterShare, { shareId });
    return null;
  },
});

/** Forgets invitations to playlists that nobody can use any more. */
export const purgeInvites = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const old = await ctx.db
      .query("playlistInvites")
      .withIndex("by_expiry", (q) => q.lt("expiresAt", Date.now()))
      .take(BATCH);
    for (const invite of old) await ctx.db.delete("playlistInvites", invite._id);
    if (old.length === BATCH) await ctx.scheduler.runAfter(0, internal.cleanup.purgeInvites, {});
    return null;
  },
});

/** Forgets what was changed in groups so long ago that nobody asks. */
export const purgeAudit = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const old = await ctx.db
      .query("audit")
      .withIndex("by_time", (q) => q.lt("createdAt", Date.now() - AUDIT_KEPT_MS))
      .take(BATCH);
    for (const entry of old) await ctx.db.delete("audit", entry._id);
    if (old.length === BATCH) await ctx.scheduler.runAfter(0, internal.cleanup.purgeAudit, {});
    return null;
  },
});
