/** Taking away all that is somebody's, so much at a time as one transaction may. */
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { forget } from "./allowances";
import { SOMEBODY } from "./audits";
import { hashOf } from "./bans";
import { groupOf } from "./groups";
import { settle } from "./merging";
import { deleteUnusedFile, removePiece } from "./pieces";
import { removePlaylist, takeOut } from "./playlists";

const PIECES_BATCH = 20;
const BATCH = 200;
/** A playlist, or what somebody added to one, is up to 700 rows. */
const PLAYLISTS_BATCH = 2;

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
  const memberships = await ctx.db
    .query("playlistMembers")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(PLAYLISTS_BATCH);
  for (const member of memberships) {
    if (member.role === "owner") await removePlaylist(ctx, member.playlistId);
    else await takeOut(ctx, member);
  }
  if (memberships.length > 0) return false;
  const favorites = await ctx.db
    .query("favorites")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(BATCH);
  for (const favorite of favorites) {
    await forgetOrigin(ctx, favorite._id);
    await ctx.db.delete("favorites", favorite._id);
  }
  const counts = [favorites.length];
  for (const table of ["corrections", "shares", "playlistEntries"] as const) {
    const rows = await ctx.db
      .query(table)
      .withIndex("by_user", (q) => q.eq("userId", userId))
      .take(BATCH);
    for (const { _id } of rows) await ctx.db.delete(table, _id);
    counts.push(rows.length);
  }
  const guests = await ctx.db
    .query("shareGuests")
    .withIndex("by_user_and_generation", (q) => q.eq("userId", userId))
    .take(BATCH);
  for (const guest of guests) await ctx.db.delete("shareGuests", guest._id);
  const replays = await ctx.db
    .query("replays")
    .withIndex("by_user_and_key", (q) => q.eq("userId", userId))
    .take(BATCH);
  for (const replay of replays) await ctx.db.delete("replays", replay._id);
  return Math.max(...counts, guests.length, replays.length) < BATCH;
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
  const left = await eraseElsewhere(ctx, account);
  return Math.max(most, notices.length, decided.length, left) < BATCH;
}

/** Where an account stands in what is others': what it made for a user whom it was taken out of, groups, bans. */
async function eraseElsewhere(ctx: MutationCtx, account: string): Promise<number> {
  const pieces = await ctx.db
    .query("musicGenerations")
    .withIndex("by_account", (q) => q.eq("account", account))
    .take(BATCH);
  for (const { _id } of pieces) await ctx.db.patch("musicGenerations", _id, { account: undefined });
  const deliveries = await ctx.db
    .query("deliveries")
    .withIndex("by_account", (q) => q.eq("account", account))
    .take(BATCH);
  for (const { _id } of deliveries) await ctx.db.patch("deliveries", _id, { account: SOMEBODY });
  const done = await ctx.db
    .query("audit")
    .withIndex("by_account", (q) => q.eq("account", account))
    .take(BATCH);
  for (const { _id } of done) await ctx.db.patch("audit", _id, { account: SOMEBODY, name: undefined });
  const hash = await hashOf(account);
  // A ban outlives its account, or a deletion would end it. Whose it is, nobody can read there.
  const bans = await ctx.db
    .query("bans")
    .withIndex("by_hash", (q) => q.eq("hash", hash))
    .take(BATCH);
  for (const { _id } of bans) await ctx.db.patch("bans", _id, { name: undefined });
  const suffered = await ctx.db
    .query("audit")
    .withIndex("by_subject", (q) => q.eq("subject", hash))
    .take(BATCH);
  for (const { _id } of suffered) await ctx.db.patch("audit", _id, { subject: undefined, subjectName: undefined });
  return Math.max(pieces.length, deliveries.length, done.length, suffered.length);
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

interface Left {
  bot: string;
  platform: string;
  group: string | null;
  chats: string[];
}

/** Forgets a part of what a bot kept of chats and a group that it has left; what is still to be done, or null. */
export async function forgetGroup(ctx: MutationCtx, { bot, platform, group, chats }: Left): Promise<Left | null> {
  const rest = { bot, platform, group, chats: chats.slice(1) };
  const [chat] = chats;
  if (chat !== undefined) {
    const posted = await ctx.db
      .query("deliveries")
      .withIndex("by_message", (q) => q.eq("bot", bot).eq("platform", platform).eq("chat", chat))
      .take(BATCH);
    for (const { _id } of posted) await ctx.db.delete("deliveries", _id);
    if (posted.length === BATCH) return { ...rest, chats };
    return rest.chats.length > 0 || group !== null ? rest : null;
  }
  if (group === null) return null;
  const posted = await ctx.db
    .query("deliveries")
    .withIndex("by_group", (q) => q.eq("bot", bot).eq("group", group))
    .take(BATCH);
  for (const { _id } of posted) await ctx.db.delete("deliveries", _id);
  let most = posted.length;
  for (const table of ["bans", "audit"] as const) {
    const rows = await ctx.db
      .query(table)
      .withIndex("by_group", (q) => q.eq("group", group))
      .take(BATCH);
    for (const { _id } of rows) await ctx.db.delete(table, _id);
    most = Math.max(most, rows.length);
  }
  const settings = await groupOf(ctx, group);
  if (settings !== null) await ctx.db.delete("groups", settings._id);
  await forget(ctx, group);
  return most === BATCH ? rest : null;
}
