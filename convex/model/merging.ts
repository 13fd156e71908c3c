/**
 * Two users who become one, and part again. What is moved is written down row by row, so that the undo puts exactly that
 * back. The absorbed user's row stays until the undo has run out: nothing about it has to be made anew.
 */
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { ACCOUNTS_MAX } from "../limits";
import { refusal } from "../refusals";
import { DAY_MS, forget, shareLess } from "./allowances";
import { passOrigin } from "./origins";
import { favoriteOf } from "./pieces";
import { memberOf, stronger } from "./playlists";
import { recall } from "./replays";

/**
 * More rows than these are not moved. Convex reads at most 4,096 index ranges in a transaction, and a row takes up to
 * three: one for itself, one for whether the other user has the same, one for what it speaks of.
 */
export const MOVED_MAX = 1200;
const IDS_A_ROW = 1000;
/** So many of each kind that were made within the day are looked at when two users part. */
const SINCE_MAX = 500;

/** What moves, besides the accounts. Every one of these tables has an index `by_user…` that begins with the user. */
const TABLES = [
  "musicGenerations",
  "favorites",
  "corrections",
  "replays",
  "shares",
  "shareGuests",
  "playlistMembers",
  "playlistEntries",
] as const;
type Table = (typeof TABLES)[number];
type User = Doc<"users">;
type Moved = Doc<"mergeMoves">["table"];
type What = Doc<"mergeMoves">["what"];

function rowsOf<T extends Table>(ctx: QueryCtx, table: T, userId: Id<"users">, count: number): Promise<Doc<T>[]>;
function rowsOf(ctx: QueryCtx, table: Table, userId: Id<"users">, count: number): Promise<Doc<Table>[]> {
  switch (table) {
    case "musicGenerations":
    case "favorites":
    case "corrections":
    case "shares":
    case "playlistEntries":
    case "playlistMembers":
      return ctx.db.query(table).withIndex("by_user", (q) => q.eq("userId", userId)).take(count);
    case "replays":
      return ctx.db.query(table).withIndex("by_user_and_key", (q) => q.eq("userId", userId)).take(count);
    case "shareGuests":
      return ctx.db.query(table).withIndex("by_user_and_generation", (q) => q.eq("userId", userId)).take(count);
  }
}

async function size(ctx: QueryCtx, userId: Id<"users">): Promise<number> {
  let count = 0;
  for (const table of TABLES) {
    if (count <= MOVED_MAX) count += (await rowsOf(ctx, table, userId, MOVED_MAX + 1 - count)).length;
  }
  return count;
}

/** Who stays: the older user, unless only the younger one has too much to be moved. */
async function roles(ctx: QueryCtx, one: User, other: User): Promise<{ kept: User; absorbed: User }> {
  const older = one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one._id < other._id);
  const [kept, absorbed] = older ? [one, other] : [other, one];
  if ((await size(ctx, absorbed._id)) <= MOVED_MAX) return { kept, absorbed };
  if ((await size(ctx, kept._id)) <= MOVED_MAX) return { kept: absorbed, absorbed: kept };
  throw refusal("too_many", "Both of you have so much here that it cannot be put together. Please remove some of one first.");
}

/** Hands rows over, and writes down which. */
class Ledger {
  readonly #ids = new Map<string, string[]>();

  async move(ctx: MutationCtx, table: Moved, row: { _id: string }, to: Id<"users">, what: What = "moved"): Promise<void> {
    const id = ctx.db.normalizeId(table, row._id);
    if (id === null) return;
    await ctx.db.patch(table, id, { userId: to });
    this.note(table, what, id);
  }

  note(table: Moved, what: What, id: string): void {
    const key = `${table} ${what}`;
    const ids = this.#ids.get(key) ?? [];
    ids.push(id);
    this.#ids.set(key, ids);
  }

  async write(ctx: MutationCtx, mergeId: Id<"merges">): Promise<void> {
    for (const [key, ids] of this.#ids) {
      const [table, what] = key.split(" ") as [Moved, What];
      for (let at = 0; at < ids.length; at += IDS_A_ROW) {
        await ctx.db.insert("mergeMoves", { mergeId, table, what, ids: ids.slice(at, at + IDS_A_ROW) });
      }
    }
  }
}

/** Whether the kept user has the same thing already; then the other's row stays where it is. */
async function twice(ctx: QueryCtx, kept: Id<"users">, favorite: Doc<"favorites">): Promise<boolean> {
  if (favorite.generationId !== undefined) return (await favoriteOf(ctx, kept, favorite.generationId)) !== null;
  const same = await ctx.db
    .query("favorites")
    .withIndex("by_user_and_raga", (q) =>
      q.eq("userId", kept).eq("raga", favorite.raga).eq("tradition", favorite.tradition),
    )
    .first();
  return same !== null;
}

async function invitedTwice(ctx: QueryCtx, kept: Id<"users">, guest: Doc<"shareGuests">): Promise<boolean> {
  const same = await ctx.db
    .query("shareGuests")
    .withIndex("by_user_and_generation", (q) => q.eq("userId", kept).eq("generationId", guest.generationId))
    .first();
  return same !== null;
}

/** A piece says whether its owner keeps it: with its new owner that may change. */
async function mirrorHeart(ctx: MutationCtx, ledger: Ledger, piece: Doc<"musicGenerations"> | null, kept: Id<"users">): Promise<void> {
  if (piece === null || piece.isFavorite || (await favoriteOf(ctx, kept, piece._id)) === null) return;
  await ctx.db.patch("musicGenerations", piece._id, { isFavorite: true });
  ledger.note("musicGenerations", "hearted", piece._id);
}

async function moveAll(ctx: MutationCtx, ledger: Ledger, from: Id<"users">, to: Id<"users">): Promise<void> {
  for (const table of ["corrections", "shares", "playlistEntries"] as const) {
    for (const row of await rowsOf(ctx, table, from, MOVED_MAX)) await ledger.move(ctx, table, row, to);
  }
  for (const replay of await rowsOf(ctx, "replays", from, MOVED_MAX)) {
    if ((await recall(ctx, to, replay.key)) === undefined) await ledger.move(ctx, "replays", replay, to);
  }
  for (const guest of await rowsOf(ctx, "shareGuests", from, MOVED_MAX)) {
    if (!(await invitedTwice(ctx, to, guest))) await ledger.move(ctx, "shareGuests", guest, to);
  }
  for (const member of await rowsOf(ctx, "playlistMembers", from, MOVED_MAX)) {
    const same = await memberOf(ctx, to, member.playlistId);
    // In a playlist of both the stronger role holds; the other row waits for the undo with who is no longer there.
    if (same !== null && !stronger(member.role, same.role)) continue;
    if (same !== null) await ledger.move(ctx, "playlistMembers", same, from, "aside");
    await ledger.move(ctx, "playlistMembers", member, to);
  }
  for (const favorite of await rowsOf(ctx, "favorites", from, MOVED_MAX)) {
    if (await twice(ctx, to, favorite)) continue;
    await ledger.move(ctx, "favorites", favorite, to);
    const piece = favorite.generationId === undefined ? null : await ctx.db.get("musicGenerations", favorite.generationId);
    if (piece?.userId === to) await mirrorHeart(ctx, ledger, piece, to);
  }
  for (const piece of await rowsOf(ctx, "musicGenerations", from, MOVED_MAX)) {
    await ledger.move(ctx, "musicGenerations", piece, to);
    await mirrorHeart(ctx, ledger, piece, to);
  }
}

function accountsOf(ctx: QueryCtx, user: User): Promise<Doc<"accounts">[]> {
  return ctx.db
    .query("accounts")
    .withIndex("by_user", (q) => q.eq("userId", user._id))
    .take(ACCOUNTS_MAX);
}

/** Joins two users; the caller has seen to it that both want it. */
export async function merge(ctx: MutationCtx, one: User, other: User): Promise<Doc<"merges">> {
  const { kept, absorbed } = await roles(ctx, one, other);
  const ledger = new Ledger();
  const accounts = await accountsOf(ctx, absorbed);
  if (accounts.length + (await accountsOf(ctx, kept)).length > ACCOUNTS_MAX) {
    throw refusal("too_many", `One person links ${String(ACCOUNTS_MAX)} accounts at most. Please take one out with /unlink first.`);
  }
  for (const account of accounts) await ledger.move(ctx, "accounts", account, kept._id);
  await moveAll(ctx, ledger, absorbed._id, kept._id);
  await shareLess(ctx, kept._id, absorbed._id);
  const before = { name: kept.name, email: kept.email, preferences: kept.preferences };
  const preferences = { ...absorbed.preferences, ...kept.preferences };
  await ctx.db.patch("users", kept._id, {
    name: kept.name ?? absorbed.name,
    email: kept.email ?? absorbed.email,
    ...(Object.keys(preferences).length > 0 ? { preferences } : {}),
  });
  await ctx.db.patch("users", absorbed._id, { mergedInto: kept._id });
  const now = Date.now();
  const mergeId = await ctx.db.insert("merges", {
    keptId: kept._id,
    absorbedId: absorbed._id,
    accounts: accounts.map((account) => account.account),
    before,
    createdAt: now,
    until: now + DAY_MS,
  });
  await ledger.write(ctx, mergeId);
  const written = await ctx.db.get("merges", mergeId);
  if (written === null) throw new Error("a merge was written and is not there");
  return written;
}

/** Gives one row back, unless it went elsewhere meanwhile: then it is not the merge's any more. */
async function giveBack(ctx: MutationCtx, table: Moved, given: string, from: Id<"users">, to: Id<"users">): Promise<void> {
  const id = ctx.db.normalizeId(table, given);
  if (id !== null && (await ctx.db.get(table, id))?.userId === from) await ctx.db.patch(table, id, { userId: to });
}

async function unheart(ctx: MutationCtx, given: string): Promise<void> {
  const id = ctx.db.normalizeId("musicGenerations", given);
  if (id !== null && (await ctx.db.get("musicGenerations", id)) !== null) {
    await ctx.db.patch("musicGenerations", id, { isFavorite: false });
  }
}

/** What was made since goes with the account that made it, and what was shared or listed of a piece goes with the piece. */
async function partNew(ctx: MutationCtx, { keptId, absorbedId, accounts, createdAt }: Doc<"merges">): Promise<void> {
  const pieces = await ctx.db
    .query("musicGenerations")
    .withIndex("by_user", (q) => q.eq("userId", keptId).gte("createdAt", createdAt))
    .take(SINCE_MAX);
  for (const piece of pieces) {
    if (piece.account === undefined || !accounts.includes(piece.account)) continue;
    await ctx.db.patch("musicGenerations", piece._id, {
      userId: absorbedId,
      isFavorite: (await favoriteOf(ctx, absorbedId, piece._id)) !== null,
    });
  }
  for (const table of ["shares", "playlistEntries"] as const) {
    const made = await ctx.db
      .query(table)
      .withIndex("by_user", (q) => q.eq("userId", keptId).gte("createdAt", createdAt))
      .take(SINCE_MAX);
    for (const { _id, generationId } of made) {
      const piece = await ctx.db.get("musicGenerations", generationId);
      if (piece?.userId === absorbedId) await ctx.db.patch(table, _id, { userId: absorbedId });
    }
  }
}

/** Parts two users again: each has what they had. */
export async function part(ctx: MutationCtx, merge: Doc<"merges">): Promise<void> {
  const { keptId, absorbedId } = merge;
  for (const { table, what, ids } of await movesOf(ctx, merge)) {
    for (const id of ids) {
      if (what === "moved") await giveBack(ctx, table, id, keptId, absorbedId);
      else if (what === "aside") await giveBack(ctx, table, id, absorbedId, keptId);
      else await unheart(ctx, id);
    }
  }
  await partNew(ctx, merge);
  await ctx.db.patch("users", keptId, {
    name: merge.before.name,
    email: merge.before.email,
    preferences: merge.before.preferences,
  });
  await ctx.db.patch("users", absorbedId, { mergedInto: undefined });
  await forgetMerge(ctx, merge);
}

/** Makes a merge final: what was left of the absorbed user goes. */
export async function settle(ctx: MutationCtx, merge: Doc<"merges">): Promise<void> {
  for (const table of TABLES) {
    // Pieces have all moved; what was not moved is what the kept user had, too.
    if (table === "musicGenerations") continue;
    for (const { _id } of await rowsOf(ctx, table, merge.absorbedId, MOVED_MAX)) await ctx.db.delete(table, _id);
  }
  await forget(ctx, merge.absorbedId);
  await passOrigin(ctx, merge.absorbedId, merge.keptId);
  const absorbed = await ctx.db.get("users", merge.absorbedId);
  if (absorbed !== null) await ctx.db.delete("users", absorbed._id);
  await forgetMerge(ctx, merge);
}

function movesOf(ctx: QueryCtx, merge: Doc<"merges">): Promise<Doc<"mergeMoves">[]> {
  return ctx.db
    .query("mergeMoves")
    .withIndex("by_merge", (q) => q.eq("mergeId", merge._id))
    .collect(); // bounded by what one merge may move
}

async function forgetMerge(ctx: MutationCtx, merge: Doc<"merges">): Promise<void> {
  for (const move of await movesOf(ctx, merge)) await ctx.db.delete("mergeMoves", move._id);
  await ctx.db.delete("merges", merge._id);
}

/** The merge that can still be undone by this user, the newest first. */
export function openMerge(ctx: QueryCtx, user: User): Promise<Doc<"merges"> | null> {
  return ctx.db
    .query("merges")
    .withIndex("by_kept", (q) => q.eq("keptId", user._id))
    .order("desc")
    .first();
}
