/** Playlists as one of their members sees them. */
import { v, type Infer } from "convex/values";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { person, personOf } from "./makers";
import { favoriteOf, pieceView, viewOf } from "./pieces";
import { MEMBERS_MAX, ownerNamed, PLAYLISTS_MAX } from "./playlists";
import { lineFor } from "./queue";
import { playlistRole } from "./sharingTables";
import { opens } from "./sight";

export const owner = v.union(person, v.null());
export const summary = v.object({
  playlistId: v.id("playlists"),
  name: v.string(),
  role: playlistRole,
  owner,
  createdAt: v.number(),
});
export const entryView = v.object({
  entryId: v.id("playlistEntries"),
  piece: pieceView,
  addedBy: v.union(person, v.null()),
  /** Whether the caller may take it out. */
  removable: v.boolean(),
  createdAt: v.number(),
});
export const memberView = v.object({
  memberId: v.id("playlistMembers"),
  role: playlistRole,
  person,
  own: v.boolean(),
  createdAt: v.number(),
});

/** An entry as a member sees it; nothing where the piece is no longer open to the others. */
export async function entryShown(ctx: QueryCtx, member: Doc<"playlistMembers">, entry: Doc<"playlistEntries">): Promise<Infer<typeof entryView>[]> {
  const piece = await ctx.db.get("musicGenerations", entry.generationId);
  if (piece === null) return [];
  const own = piece.userId === member.userId;
  const favorite = own ? piece.isFavorite : (await favoriteOf(ctx, member.userId, piece._id)) !== null;
  if (!own && !favorite && !opens(entry, piece)) return [];
  return [
    {
      entryId: entry._id,
      piece: viewOf(piece, { own, favorite, line: await lineFor(ctx, [piece]) }),
      addedBy: await personOf(ctx, entry.userId),
      removable: member.role === "owner" || entry.userId === member.userId,
      createdAt: entry.createdAt,
    },
  ];
}

/** The playlists that somebody belongs to, their own first, the newest first of each kind. */
export async function playlistsOf(ctx: QueryCtx, userId: Id<"users">): Promise<Infer<typeof summary>[]> {
  const found: Infer<typeof summary>[] = [];
  for (const role of ["owner", "editor", "listener"] as const) {
    const members = await ctx.db
      .query("playlistMembers")
      .withIndex("by_user", (q) => q.eq("userId", userId).eq("role", role))
      .order("desc")
      .take(2 * PLAYLISTS_MAX);
    for (const { playlistId } of members) {
      const playlist = await ctx.db.get("playlists", playlistId);
      if (playlist === null) continue;
      const { name, createdAt } = playlist;
      found.push({ playlistId, name, role, owner: await ownerNamed(ctx, playlistId), createdAt });
    }
  }
  return found;
}

export async function membersShown(
  ctx: QueryCtx,
  playlistId: Id<"playlists">,
  asker: Doc<"playlistMembers">,
): Promise<Infer<typeof memberView>[]> {
  const found = await ctx.db
    .query("playlistMembers")
    .withIndex("by_playlist", (q) => q.eq("playlistId", playlistId))
    .take(2 * MEMBERS_MAX);
  const shown = await Promise.all(
    found.map(async ({ _id, userId, role, createdAt }) => {
      const one = await personOf(ctx, userId);
      // Of two members who became one, the row that is set aside has nobody behind it.
      return one === null ? [] : [{ memberId: _id, role, person: one, own: userId === asker.userId, createdAt }];
    }),
  );
  return shown.flat();
}
