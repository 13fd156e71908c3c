/** Pieces as callers see them, who may see them, and how one goes away with all that hangs on it. */
import { v, type Infer } from "convex/values";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { UserCaller } from "../callers";
import { PLACE_MAX, text } from "../limits";
import { notFound } from "../refusals";
import { generationStatus, storedMetadata, storedRequest } from "../schema";
import { heldByMigration } from "./migrationFiles";
import { jobOf, type Line } from "./queue";
import { refund } from "./quotas";

type Piece = Doc<"musicGenerations">;
type PieceId = Id<"musicGenerations">;

/** So many rows that hang on a piece go in one transaction. */
const SWEEP_BATCH = 100;

/** A piece as one caller sees it: no user's id, account or name, and no other person's pieces. */
export const pieceView = v.object({
  id: v.id("musicGenerations"),
  status: generationStatus,
  request: storedRequest,
  createdAt: v.number(),
  favorite: v.boolean(),
  own: v.boolean(),
  progress: v.optional(v.number()),
  stage: v.optional(v.string()),
  secondsLeft: v.optional(v.number()),
  attempt: v.optional(v.number()),
  position: v.optional(v.number()),
  audioFileId: v.optional(v.id("_storage")),
  metadata: v.optional(storedMetadata),
  errorCode: v.optional(v.string()),
  error: v.optional(v.string()),
});

export type PieceView = Infer<typeof pieceView>;

export function viewOf(
  piece: Piece,
  seen: { own: boolean; favorite: boolean; line: Line },
): PieceView {
  const { after, ...request } = piece.request;
  const { progress, stage, secondsLeft, attempt, audioFileId, metadata, errorCode, error } = piece;
  return {
    id: piece._id,
    status: piece.status,
    request: seen.own && after !== undefined ? { ...request, after } : request,
    createdAt: piece.createdAt,
    favorite: seen.favorite,
    own: seen.own,
    progress,
    stage,
    secondsLeft,
    attempt,
    position: seen.line.position(piece),
    audioFileId,
    metadata,
    errorCode,
    error,
  };
}

export function favoriteOf(
  ctx: QueryCtx,
  userId: Id<"users">,
  generationId: PieceId,
): Promise<Doc<"favorites"> | null> {
  return ctx.db
    .query("favorites")
    .withIndex("by_user_and_generation", (q) => q.eq("userId", userId).eq("generationId", generationId))
    .unique();
}

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

/**
 * The piece, if this caller may see it: its owner, who keeps it, and (through a bot) whoever speaks in a place where
 * that bot posted it. `user` is null for somebody without a row. Refuses everything else in the same words.
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
  if (piece === null) throw notFound();
  if (user !== null && piece.userId === user._id) {
    return { piece, own: true, favorite: piece.isFavorite };
  }
  if (user !== null && (await favoriteOf(ctx, user._id, piece._id)) !== null) {
    return { piece, own: false, favorite: true };
  }
  if (place !== undefined && caller.bot !== undefined && (await postedIn(ctx, caller.bot, piece, place))) {
    return { piece, own: false, favorite: false };
  }
  throw notFound();
}

/** Deletes a file unless a piece or a migrated row refers to it. */
export async function deleteUnusedFile(ctx: MutationCtx, file: Id<"_storage">): Promise<void> {
  if ((await ctx.db.system.get("_storage", file)) === null) return;
  if ((await pieceWithFile(ctx, file)) !== null || (await heldByMigration(ctx, file))) return;
  await ctx.storage.delete(file);
}

export function pieceWithFile(ctx: QueryCtx, file: Id<"_storage">): Promise<Piece | null> {
  return ctx.db
    .query("musicGenerations")
    .withIndex("by_audio_file", (q) => q.eq("audioFileId", file))
    .first();
}

/** Deletes the piece, its job and its audio at once, and what else hangs on it as far as one transaction may. */
export async function removePiece(ctx: MutationCtx, piece: Piece): Promise<void> {
  const job = await jobOf(ctx, piece._id);
  if (job !== null) await ctx.db.delete("jobs", job._id);
  await refund(ctx, piece);
  await ctx.db.delete("musicGenerations", piece._id);
  if (piece.audioFileId !== undefined) await deleteUnusedFile(ctx, piece.audioFileId);
  await sweepAfter(ctx, piece._id);
}

/** Deletes deliveries and favorites of a piece that is gone; schedules itself for the rest. */
export async function sweepAfter(ctx: MutationCtx, generationId: PieceId): Promise<void> {
  const deliveries = await ctx.db
    .query("deliveries")
    .withIndex("by_generation", (q) => q.eq("generationId", generationId))
    .take(SWEEP_BATCH);
  for (const delivery of deliveries) await ctx.db.delete("deliveries", delivery._id);
  const favorites = await ctx.db
    .query("favorites")
    .withIndex("by_generation", (q) => q.eq("generationId", generationId))
    .take(SWEEP_BATCH);
  for (const favorite of favorites) await ctx.db.delete("favorites", favorite._id);
  if (deliveries.length === SWEEP_BATCH || favorites.length === SWEEP_BATCH) {
    await ctx.scheduler.runAfter(0, internal.cleanup.sweepAfterPiece, { generationId });
  }
}
