/** Pieces as callers see them, and how one goes away with all that hangs on it. */
import { v, type Infer } from "convex/values";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
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
  /** The name that its owner gave it; without one it is called as in `metadata`. */
  title: v.optional(v.string()),
  /** Whether it was made after another piece. Which one, only its owner is told here; musicGeneration:chain says more. */
  after: v.optional(v.boolean()),
  /** Whether the caller's own piece can be heard by a link. */
  shared: v.optional(v.boolean()),
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
  const { progress, stage, secondsLeft, attempt, audioFileId, metadata, errorCode, error, title, shared } = piece;
  return {
    id: piece._id,
    status: piece.status,
    request: seen.own && after !== undefined ? { ...request, after } : request,
    createdAt: piece.createdAt,
    favorite: seen.favorite,
    own: seen.own,
    title,
    ...(after === undefined ? {} : { after: true }),
    ...(seen.own && shared === true ? { shared } : {}),
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

/** Deletes what refers to a piece that is gone; schedules itself for the rest. */
export async function sweepAfter(ctx: MutationCtx, generationId: PieceId): Promise<void> {
  let most = 0;
  for (const table of ["deliveries", "favorites", "shares", "shareGuests", "playlistEntries"] as const) {
    const hanging = await ctx.db
      .query(table)
      .withIndex("by_generation", (q) => q.eq("generationId", generationId))
      .take(SWEEP_BATCH);
    for (const row of hanging) await ctx.db.delete(table, row._id);
    most = Math.max(most, hanging.length);
  }
  const later = await ctx.db
    .query("musicGenerations")
    .withIndex("by_after", (q) => q.eq("request.after", generationId))
    .take(SWEEP_BATCH);
  for (const { _id, request } of later) await ctx.db.patch("musicGenerations", _id, { request: { ...request, after: undefined } });
  if (Math.max(most, later.length) === SWEEP_BATCH) {
    await ctx.scheduler.runAfter(0, internal.cleanup.sweepAfterPiece, { generationId });
  }
}
