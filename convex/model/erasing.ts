/** Taking away all that is somebody's, so much at a time as one transaction may. */
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { forget } from "./allowances";
import { settle } from "./merging";
import { deleteUnusedFile, removePiece } from "./pieces";

const PIECES_BATCH = 20;
const BATCH = 200;
const SOMEBODY = "somebody";

/** What the older application knew of a document: the row itself, its files, and what a later run changed. */
export async function forgetOrigin(ctx: MutationCtx, docId: string): Promise<void> {
  const origins = await ctx.db
    .query("migrated")
    .withIndex("by_doc", (q) => q.eq("docId", docId))
    .take(BATCH);
  for (const { _id, source, table, legacyId, target } of origins) {
    const changes = await ctx.db
      .query("migrationUndo")
      .withIndex("by_migrated", (q) => q.eq("migratedId", _id))
      .take(BATCH);
    for (const change of changes) await ctx.db.delete("migrationUndo", change._id);
    await ctx.db.delete("migrated", _id);
    if (target === "legacy") continue;
    const rest = await ctx.db
      .query("migrated")
      .withIndex("by_entry", (q) =>
        q.eq("source", source).eq("table", table).eq("legacyId", legacyId).eq("target", "legacy"),
      )
      .first();
    if (rest !== null) await forgetLegacy(ctx, rest);
  }
}

async function forgetLegacy(ctx: MutationCtx, origin: Doc<"migrated">): Promise<void> {
  const id = ctx.db.normalizeId("legacy", origin.docId);
  const row = id === null ? null : await ctx.db.get("legacy", id);
  if (row !== null) await ctx.db.delete("legacy", row._id);
  await forgetOrigin(ctx, origin.docId);
  await letFilesGo(ctx, origin.docId);
}

async function letFilesGo(ctx: MutationCtx, docId: string): Promise<void> {
  const held = await ctx.db
    .query("migrationFiles")
    .withIndex("by_doc", (q) => q.eq("docId", docId))
    .take(BATCH);
  for (const row of held) await ctx.db.delete("migrationFiles", row._id);
  for (const { file } of held) await deleteUnusedFile(ctx, file);
}

/** Takes away a part of what a user has; says whether that was the last of it. Accounts and the row itself stay. */
export async function eraseSome(ctx: MutationCtx, userId: Id<"users">): Promise<boolean> {
  const pieces = await ctx.db
    .query("musicGenerations")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(PIECES_BATCH);
  for (const piece of pieces) {
    await forgetOrigin(ctx, piece._id);
    await letFilesGo(ctx, piece._id);
    await removePiece(ctx, piece);
  }
  if (pieces.length > 0) return false;
  const favorites = await ctx.db
    .query("favorites")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(BATCH);
  for (const favorite of favorites) {
    await forgetOrigin(ctx, favorite._id);
    await ctx.db.delete("favorites", favorite._id);
  }
  const reports = await ctx.db
    .query("corrections")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(BATCH);
  for (const report of reports) await ctx.db.delete("corrections", report._id);
  const replays = await ctx.db
    .query("replays")
    .withIndex("by_user_and_key", (q) => q.eq("userId", userId))
    .take(BATCH);
  for (const replay of replays) await ctx.db.delete("replays", replay._id);
  return Math.max(favorites.length, reports.length, replays.length) < BATCH;
}

/** Takes away what hangs on one of a user's accounts. */
export async function eraseAccount(ctx: MutationCtx, account: string): Promise<boolean> {
  await forget(ctx, account);
  let most = 0;
  for (const state of ["open", "redeemed", "linked", "ended"] as const) {
    const begun = await ctx.db
      .query("links")
      .withIndex("by_issuer", (q) => q.eq("issuer.account", account).eq("state", state))
      .take(BATCH);
    const joined = await ctx.db
      .query("links")
      .withIndex("by_redeemer", (q) => q.eq("redeemer.account", account).eq("state", state))
      .take(BATCH);
    for (const link of [...begun, ...joined]) await ctx.db.delete("links", link._id);
    most = Math.max(most, begun.length, joined.length);
  }
  const notices = await ctx.db
    .query("notices")
    .withIndex("by_account", (q) => q.eq("account", account))
    .take(BATCH);
  for (const notice of notices) await ctx.db.delete("notices", notice._id);
  const decided = await ctx.db
    .query("corrections")
    .withIndex("by_decider", (q) => q.eq("decidedBy", account))
    .take(BATCH);
  // What was decided stays; who did is forgotten.
  for (const report of decided) await ctx.db.patch("corrections", report._id, { decidedBy: SOMEBODY });
  return Math.max(most, notices.length, decided.length) < BATCH;
}

/** Makes every merge of a user final, in which they are the one who stays or the one who went. */
export async function settleAll(ctx: MutationCtx, userId: Id<"users">): Promise<void> {
  const kept = await ctx.db
    .query("merges")
    .withIndex("by_kept", (q) => q.eq("keptId", userId))
    .take(BATCH);
  for (const merged of kept) {
    await forgetOrigin(ctx, merged.absorbedId);
    await settle(ctx, merged);
  }
}
