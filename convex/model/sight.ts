/** Who may see a piece: play it, keep it, have another made after it. */
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import type { UserCaller } from "../callers";
import { PLACE_MAX, text } from "../limits";
import { notFound } from "../refusals";
import { favoriteOf } from "./pieces";

type Piece = Doc<"musicGenerations">;

/** More playlists than these nobody belongs to: `PLAYLISTS_MAX` of each kind, also where two people became one. */
const MEMBERSHIPS_READ = 400;

export interface Sight {
  piece: Piece;
  own: boolean;
  favorite: boolean;
}

interface PlaceNamed {
  platform: string;
  chat: string;
}

async function postedIn(ctx: QueryCtx, bot: string, piece: Piece, place: PlaceNamed): Promise<boolean> {
  const delivery = await ctx.db
    .query("deliveries")
    .withIndex("by_generation", (q) =>
      q
        .eq("generationId", piece._id)
        .eq("bot", bot)
        .eq("platform", text("The platform", place.platform, PLACE_MAX))
        .eq("chat", text("The chat", place.chat, PLACE_MAX)),
    )
    .first();
  return delivery !== null;
}

/** Whether they opened a link to it that is still good. */
async function invited(ctx: QueryCtx, userId: Id<"users">, piece: Piece): Promise<boolean> {
  if (piece.shared !== true) return false;
  const guests = await ctx.db
    .query("shareGuests")
    .withIndex("by_user_and_generation", (q) => q.eq("userId", userId).eq("generationId", piece._id))
    .take(2); // two, where both of those who became one person had opened it
  for (const { shareId } of guests) if ((await ctx.db.get("shares", shareId)) !== null) return true;
  return false;
}

/**
 * Whether an entry of a playlist opens its piece to the playlist's members: who adds a piece of another's cannot open
 * more than its owner does.
 */
export function opens(entry: Doc<"playlistEntries">, piece: Piece): boolean {
  return entry.userId === piece.userId || piece.shared === true;
}

/** Whether it stands in a playlist that they belong to. */
async function listed(ctx: QueryCtx, userId: Id<"users">, piece: Piece): Promise<boolean> {
  const anywhere = await ctx.db
    .query("playlistEntries")
    .withIndex("by_generation", (q) => q.eq("generationId", piece._id))
    .first();
  if (anywhere === null) return false;
  const memberships = await ctx.db
    .query("playlistMembers")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(MEMBERSHIPS_READ);
  for (const { playlistId } of memberships) {
    const entry = await ctx.db
      .query("playlistEntries")
      .withIndex("by_playlist_and_generation", (q) => q.eq("playlistId", playlistId).eq("generationId", piece._id))
      .first();
    if (entry !== null && opens(entry, piece)) return true;
  }
  return false;
}

/** What a person may see of a piece wherever they ask; null for nothing. */
export async function sightOf(ctx: QueryCtx, userId: Id<"users">, piece: Piece): Promise<Sight | null> {
  if (piece.userId === userId) return { piece, own: true, favorite: piece.isFavorite };
  if ((await favoriteOf(ctx, userId, piece._id)) !== null) return { piece, own: false, favorite: true };
  const open = (await invited(ctx, userId, piece)) || (await listed(ctx, userId, piece));
  return open ? { piece, own: false, favorite: false } : null;
}

/** The same, with what is posted in the place where they ask. `user` is null for somebody without a row. */
export async function sightIn(
  ctx: QueryCtx,
  caller: UserCaller,
  user: Doc<"users"> | null,
  piece: Piece,
  place?: PlaceNamed,
): Promise<Sight | null> {
  const sight = user === null ? null : await sightOf(ctx, user._id, piece);
  if (sight !== null || place === undefined || caller.bot === undefined) return sight;
  return (await postedIn(ctx, caller.bot, piece, place)) ? { piece, own: false, favorite: false } : null;
}

/**
 * The piece, if this caller may see it: its owner, who keeps it, who opened a link to it, who belongs to a playlist that
 * it stands in, and (through a bot) whoever speaks in a place where that bot posted it. Refuses everything else in the
 * same words.
 */
export async function seen(
  ctx: QueryCtx,
  caller: UserCaller,
  user: Doc<"users"> | null,
  givenId: string,
  place?: PlaceNamed,
): Promise<Sight> {
  const id = ctx.db.normalizeId("musicGenerations", givenId);
  const piece = id === null ? null : await ctx.db.get("musicGenerations", id);
  const sight = piece === null ? null : await sightIn(ctx, caller, user, piece, place);
  if (sight === null) throw notFound();
  return sight;
}

/** The caller's own piece; anything else is not there. */
export async function ownPieceOf(ctx: QueryCtx, user: Doc<"users"> | null, givenId: string): Promise<Piece> {
  const id = ctx.db.normalizeId("musicGenerations", givenId);
  const piece = user === null || id === null ? null : await ctx.db.get("musicGenerations", id);
  if (piece === null || piece.userId !== user?._id) throw notFound();
  return piece;
}
