/** Playlists: who belongs to one, what they may do there, and how one goes away. */
import type { Infer } from "convex/values";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { notFound, refusal } from "../refusals";
import { personOf, type Person } from "./makers";
import type { playlistRole } from "./sharingTables";

/** So many playlists of one's own, and so many of others. */
export const PLAYLISTS_MAX = 50;
export const ENTRIES_MAX = 500;
export const MEMBERS_MAX = 100;

export type Role = Infer<typeof playlistRole>;
type Playlist = Doc<"playlists">;
type Member = Doc<"playlistMembers">;

const STRENGTH: Record<Role, number> = { listener: 0, editor: 1, owner: 2 };

export function stronger(one: Role, other: Role): boolean {
  return STRENGTH[one] > STRENGTH[other];
}

export function memberOf(ctx: QueryCtx, userId: Id<"users">, playlistId: Id<"playlists">): Promise<Member | null> {
  return ctx.db
    .query("playlistMembers")
    .withIndex("by_user_and_playlist", (q) => q.eq("userId", userId).eq("playlistId", playlistId))
    .first();
}

export function ownerOf(ctx: QueryCtx, playlistId: Id<"playlists">): Promise<Member | null> {
  return ctx.db
    .query("playlistMembers")
    .withIndex("by_playlist", (q) => q.eq("playlistId", playlistId).eq("role", "owner"))
    .first();
}

export async function ownerNamed(ctx: QueryCtx, playlistId: Id<"playlists">): Promise<Person | null> {
  const owner = await ownerOf(ctx, playlistId);
  return owner === null ? null : personOf(ctx, owner.userId);
}

/**
 * The playlist, and the user's membership in it. A playlist that they do not belong to is not there for them; one in
 * which they may not do this is, and says so.
 */
export async function belonging(
  ctx: QueryCtx,
  user: Doc<"users"> | null,
  given: string,
  least: Role = "listener",
): Promise<{ playlist: Playlist; member: Member }> {
  const id = ctx.db.normalizeId("playlists", given);
  const playlist = id === null || user === null ? null : await ctx.db.get("playlists", id);
  const member = playlist === null || user === null ? null : await memberOf(ctx, user._id, playlist._id);
  if (playlist === null || member === null) throw notFound();
  if (stronger(least, member.role)) {
    throw refusal("forbidden", least === "owner" ? "Only the owner of this playlist may do this." : "You may listen to this playlist. To add to it, please ask its owner.");
  }
  return { playlist, member };
}

/** Somebody else's membership, by its own id: users are not named to each other. */
export async function memberNamed(ctx: QueryCtx, playlistId: Id<"playlists">, given: string): Promise<Member> {
  const id = ctx.db.normalizeId("playlistMembers", given);
  const member = id === null ? null : await ctx.db.get("playlistMembers", id);
  if (member?.playlistId !== playlistId) throw notFound();
  return member;
}

/** Whether the user has room for one more: of their own, or of others. */
export async function expectRoom(ctx: QueryCtx, userId: Id<"users">, own: boolean): Promise<void> {
  const roles: Role[] = own ? ["owner"] : ["editor", "listener"];
  let count = 0;
  for (const role of roles) {
    const found = await ctx.db
      .query("playlistMembers")
      .withIndex("by_user", (q) => q.eq("userId", userId).eq("role", role))
      .take(PLAYLISTS_MAX);
    count += found.length;
  }
  if (count >= PLAYLISTS_MAX) {
    throw refusal("too_many", `You have ${String(PLAYLISTS_MAX)} playlists ${own ? "of your own" : "of others"}. Please ${own ? "remove" : "leave"} one first.`);
  }
}

export async function expectSeat(ctx: QueryCtx, playlistId: Id<"playlists">): Promise<void> {
  const members = await ctx.db
    .query("playlistMembers")
    .withIndex("by_playlist", (q) => q.eq("playlistId", playlistId))
    .take(MEMBERS_MAX);
  if (members.length < MEMBERS_MAX) return;
  throw refusal("too_many", `${String(MEMBERS_MAX)} people belong to this playlist, and it has no room for more.`);
}

export async function expectSpace(ctx: QueryCtx, playlistId: Id<"playlists">): Promise<void> {
  const entries = await ctx.db
    .query("playlistEntries")
    .withIndex("by_playlist", (q) => q.eq("playlistId", playlistId))
    .take(ENTRIES_MAX);
  if (entries.length < ENTRIES_MAX) return;
  throw refusal("too_many", `A playlist holds ${String(ENTRIES_MAX)} pieces. Please take one out first.`);
}

/** Takes somebody out, with the pieces that they added: those are theirs. */
export async function takeOut(ctx: MutationCtx, member: Member): Promise<void> {
  const added = await ctx.db
    .query("playlistEntries")
    .withIndex("by_playlist_and_user", (q) => q.eq("playlistId", member.playlistId).eq("userId", member.userId))
    .take(ENTRIES_MAX);
  for (const entry of added) await ctx.db.delete("playlistEntries", entry._id);
  await ctx.db.delete("playlistMembers", member._id);
}

export async function endInvites(ctx: MutationCtx, playlistId: Id<"playlists">): Promise<void> {
  const invites = await ctx.db
    .query("playlistInvites")
    .withIndex("by_playlist", (q) => q.eq("playlistId", playlistId))
    .take(MEMBERS_MAX);
  for (const invite of invites) await ctx.db.delete("playlistInvites", invite._id);
}

/** Takes a playlist away with all that is in it. Its bounds are such that one transaction does it. */
export async function removePlaylist(ctx: MutationCtx, playlistId: Id<"playlists">): Promise<void> {
  await endInvites(ctx, playlistId);
  const entries = await ctx.db
    .query("playlistEntries")
    .withIndex("by_playlist", (q) => q.eq("playlistId", playlistId))
    .take(ENTRIES_MAX);
  for (const entry of entries) await ctx.db.delete("playlistEntries", entry._id);
  // Twice as many: of two members who became one, both rows stay while that can be undone.
  const members = await ctx.db
    .query("playlistMembers")
    .withIndex("by_playlist", (q) => q.eq("playlistId", playlistId))
    .take(2 * MEMBERS_MAX);
  for (const member of members) await ctx.db.delete("playlistMembers", member._id);
  await ctx.db.delete("playlists", playlistId);
}
