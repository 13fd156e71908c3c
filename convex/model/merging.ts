/**
 * Two users who become one, and part again. What is moved is written down row by row, so that the undo puts exactly that
 * back. The absorbed user's row stays until the undo has run out: nothing about it has to be made anew.
 */
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { refusal } from "../refusals";
import { DAY_MS, forget, shareLess } from "./allowances";
import { favoriteOf } from "./pieces";

/** More rows than these are not moved in one mutation. */
export const MOVED_MAX = 2000;
const IDS_A_ROW = 1000;

type User = Doc<"users">;
type Moved = Doc<"mergeMoves">["table"];

function favoritesOf(ctx: QueryCtx, userId: Id<"users">, count: number): Promise<Doc<"favorites">[]> {
  return ctx.db.query("favorites").withIndex("by_user", (q) => q.eq("userId", userId)).take(count);
}

function replaysOf(ctx: QueryCtx, userId: Id<"users">, count: number): Promise<Doc<"replays">[]> {
  return ctx.db.query("replays").withIndex("by_user_and_key", (q) => q.eq("userId", userId)).take(count);
}

function rowsOf(
  ctx: QueryCtx,
  table: Exclude<Moved, "accounts">,
  userId: Id<"users">,
  count: number,
): Promise<{ _id: string }[]> {
  switch (table) {
    case "musicGenerations":
      return ctx.db.query("musicGenerations").withIndex("by_user", (q) => q.eq("userId", userId)).take(count);
    case "favorites":
      return favoritesOf(ctx, userId, count);
    case "corrections":
      return ctx.db.query("corrections").withIndex("by_user", (q) => q.eq("userId", userId)).take(count);
    case "replays":
      return replaysOf(ctx, userId, count);
  }
}

async function size(ctx: QueryCtx, userId: Id<"users">): Promise<number> {
  let count = 0;
  for (const table of ["musicGenerations", "favorites", "corrections", "replays"] as const) {
    if (count <= MOVED_MAX) count += (await rowsOf(ctx, table, userId, MOVED_MAX + 1 - count)).length;
  }
  return count;
}

/** Gives one row to another user; says whether it was there and was `from`'s. */
async function handOver(ctx: MutationCtx, table: Moved, given: string, from: Id<"users">, to: Id<"users">): Promise<boolean> {
  const id = ctx.db.normalizeId(table, given);
  if (id === null || (await ctx.db.get(table, id))?.userId !== from) return false;
  await ctx.db.patch(table, id, { userId: to });
  return true;
}

/** Who stays: the older user, unless only the younger one has too much to be moved. */
async function roles(ctx: QueryCtx, one: User, other: User): Promise<{ kept: User; absorbed: User }> {
  const older = one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one._id < other._id);
  const [kept, absorbed] = older ? [one, other] : [other, one];
  if ((await size(ctx, absorbed._id)) <= MOVED_MAX) return { kept, absorbed };
  if ((await size(ctx, kept._id)) <= MOVED_MAX) return { kept: absorbed, absorbed: kept };
  throw refusal("too_many", "Both of you have so much here that it cannot be put together. Please remove some of one first.");
}

class Ledger {
  readonly #ids = new Map<string, string[]>();

  note(table: Moved, what: Doc<"mergeMoves">["what"], id: string): void {
    const key = `${table} ${what}`;
    const ids = this.#ids.get(key) ?? [];
    ids.push(id);
    this.#ids.set(key, ids);
  }

  async write(ctx: MutationCtx, mergeId: Id<"merges">): Promise<void> {
    for (const [key, ids] of this.#ids) {
      const [table, what] = key.split(" ") as [Moved, Doc<"mergeMoves">["what"]];
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

async function known(ctx: QueryCtx, kept: Id<"users">, key: string): Promise<boolean> {
  const same = await ctx.db
    .query("replays")
    .withIndex("by_user_and_key", (q) => q.eq("userId", kept).eq("key", key))
    .first();
  return same !== null;
}

/** Joins two users; the caller has seen to it that both want it. */
export async function merge(ctx: MutationCtx, one: User, other: User): Promise<Doc<"merges">> {
  const { kept, absorbed } = await roles(ctx, one, other);
  const ledger = new Ledger();
  const accounts = await ctx.db
    .query("accounts")
    .withIndex("by_user", (q) => q.eq("userId", absorbed._id))
    .take(MOVED_MAX);
  const move = async (table: Moved, id: string) => {
    if (await handOver(ctx, table, id, absorbed._id, kept._id)) ledger.note(table, "moved", id);
  };
  for (const account of accounts) await move("accounts", account._id);
  for (const piece of await rowsOf(ctx, "musicGenerations", absorbed._id, MOVED_MAX)) await move("musicGenerations", piece._id);
  for (const report of await rowsOf(ctx, "corrections", absorbed._id, MOVED_MAX)) await move("corrections", report._id);
  for (const replay of await replaysOf(ctx, absorbed._id, MOVED_MAX)) {
    if (!(await known(ctx, kept._id, replay.key))) await move("replays", replay._id);
  }
  for (const favorite of await favoritesOf(ctx, absorbed._id, MOVED_MAX)) {
    if (!(await twice(ctx, kept._id, favorite))) await move("favorites", favorite._id);
  }
  await mirrorHearts(ctx, kept._id, ledger);
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

/** A piece says whether its owner keeps it: where two owners became one, that may have changed. */
async function mirrorHearts(ctx: MutationCtx, kept: Id<"users">, ledger: Ledger): Promise<void> {
  const favorites = await favoritesOf(ctx, kept, 2 * MOVED_MAX);
  for (const { generationId } of favorites) {
    const piece = generationId === undefined ? null : await ctx.db.get("musicGenerations", generationId);
    if (piece?.userId !== kept || piece.isFavorite) continue;
    await ctx.db.patch("musicGenerations", piece._id, { isFavorite: true });
    ledger.note("musicGenerations", "hearted", piece._id);
  }
}

/** Parts two users again: each has what they had, and what was made since goes with the account that made it. */
export async function part(ctx: MutationCtx, merge: Doc<"merges">): Promise<void> {
  const { keptId, absorbedId } = merge;
  const moves = await ctx.db
    .query("mergeMoves")
    .withIndex("by_merge", (q) => q.eq("mergeId", merge._id))
    .collect(); // bounded by what one merge may move
  for (const { table, what, ids } of moves) {
    for (const id of ids) {
      // What went elsewhere meanwhile is not the merge's any more.
      if (what === "moved") await handOver(ctx, table, id, keptId, absorbedId);
      else await unheart(ctx, id);
    }
  }
  const since = await ctx.db
    .query("musicGenerations")
    .withIndex("by_user", (q) => q.eq("userId", keptId).gte("createdAt", merge.createdAt))
    .take(MOVED_MAX);
  for (const piece of since) {
    if (piece.account === undefined || !merge.accounts.includes(piece.account)) continue;
    await ctx.db.patch("musicGenerations", piece._id, {
      userId: absorbedId,
      isFavorite: (await favoriteOf(ctx, absorbedId, piece._id)) !== null,
    });
  }
  await ctx.db.patch("users", keptId, {
    name: merge.before.name,
    email: merge.before.email,
    preferences: merge.before.preferences,
  });
  await ctx.db.patch("users", absorbedId, { mergedInto: undefined });
  await forgetMerge(ctx, merge);
}

async function unheart(ctx: MutationCtx, given: string): Promise<void> {
  const id = ctx.db.normalizeId("musicGenerations", given);
  if (id !== null && (await ctx.db.get("musicGenerations", id)) !== null) {
    await ctx.db.patch("musicGenerations", id, { isFavorite: false });
  }
}

/** Makes a merge final: what was left of the absorbed user goes. */
export async function settle(ctx: MutationCtx, merge: Doc<"merges">): Promise<void> {
  for (const favorite of await favoritesOf(ctx, merge.absorbedId, MOVED_MAX)) await ctx.db.delete("favorites", favorite._id);
  for (const replay of await replaysOf(ctx, merge.absorbedId, MOVED_MAX)) await ctx.db.delete("replays", replay._id);
  await forget(ctx, merge.absorbedId);
  const absorbed = await ctx.db.get("users", merge.absorbedId);
  if (absorbed !== null) await ctx.db.delete("users", absorbed._id);
  await forgetMerge(ctx, merge);
}

async function forgetMerge(ctx: MutationCtx, merge: Doc<"merges">): Promise<void> {
  const moves = await ctx.db
    .query("mergeMoves")
    .withIndex("by_merge", (q) => q.eq("mergeId", merge._id))
    .collect(); // bounded by what one merge may move
  for (const move of moves) await ctx.db.delete("mergeMoves", move._id);
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
