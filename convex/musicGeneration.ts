/** Pieces: asking for one, following it, keeping it, stopping it, taking it away. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v, type Infer } from "convex/values";
import type { Doc, Id } from "./_generated/dataModel";
import { internalMutation, type QueryCtx } from "./_generated/server";
import { userMutation, userQuery } from "./callers";
import {
  DURATION_S,
  HISTORY_MAX,
  INSTRUMENTS_MAX,
  KEY_MAX,
  NAME_MAX,
  place,
  SEED_MAX,
  TEMPO_BPM,
  text,
  UNFINISHED_MAX,
  whole,
  within,
  WORD_MAX,
} from "./limits";
import { deliver, givenDelivery, groupIn, madeBefore, throughBot, unfinished } from "./model/asking";
import { expectWelcome } from "./model/bans";
import { chainFrom, link } from "./model/chain";
import { expectWanted, groupOf } from "./model/groups";
import { heartPiece } from "./model/hearts";
import { ownPage } from "./model/ownLists";
import { knownUser, userFor } from "./model/people";
import { pieceView, removePiece, viewOf } from "./model/pieces";
import { enqueue, fail, lineFor } from "./model/queue";
import { charge } from "./model/quotas";
import { once, recall, remember } from "./model/replays";
import { ownPieceOf, seen } from "./model/sight";
import { invalid, notFound, refusal } from "./refusals";
import { generationStatus, givenRequest, storedMetadata, storedRequest } from "./schema";

type GivenRequest = Infer<typeof givenRequest>;

function checkRequest(request: GivenRequest): void {
  within("The length in seconds", request.duration, ...DURATION_S);
  if (request.tempo !== undefined) within("The tempo in beats a minute", request.tempo, ...TEMPO_BPM);
  if (request.seed !== undefined) whole("The seed", request.seed, 0, SEED_MAX);
  text("The mood", request.mood, WORD_MAX);
  text("The theme", request.theme, WORD_MAX);
  if (request.raga !== undefined) text("The raga", request.raga, NAME_MAX);
  if (request.voice !== undefined) text("The voice", request.voice, WORD_MAX);
  if (request.key !== undefined) text("The key", request.key, WORD_MAX);
  if (request.tala !== undefined) text("The tala", request.tala, WORD_MAX);
  if (request.style !== undefined) text("The style", request.style, WORD_MAX);
  const instruments = request.instruments ?? [];
  if (instruments.length > INSTRUMENTS_MAX) {
    throw invalid(`At most ${String(INSTRUMENTS_MAX)} instruments play together.`);
  }
  for (const instrument of instruments) text("An instrument's name", instrument, WORD_MAX);
}

/** Queues a piece. The same user and key give the same piece, whatever else is passed. */
export const startGeneration = userMutation({
  args: {
    request: givenRequest,
    idempotencyKey: v.optional(v.string()),
    delivery: v.optional(givenDelivery),
  },
  returns: v.id("musicGenerations"),
  handler: async (ctx, { request, idempotencyKey, delivery }, caller) => {
    checkRequest(request);
    const poster = delivery === undefined ? undefined : throughBot(caller);
    const user = await userFor(ctx, caller);
    if (idempotencyKey !== undefined) {
      const made = await madeBefore(ctx, user._id, text("The idempotency key", idempotencyKey, KEY_MAX));
      if (made !== null) return made;
    }
    const group = delivery === undefined || poster === undefined ? undefined : groupIn(poster, delivery);
    await expectWelcome(ctx, user, group);
    const settings = group === undefined ? null : await groupOf(ctx, group);
    if (delivery !== undefined) expectWanted(settings, delivery.room ?? delivery.chat, request.duration);
    if ((await unfinished(ctx, user._id)) >= UNFINISHED_MAX) {
      throw refusal(
        "too_many",
        `${String(UNFINISHED_MAX)} of your pieces are still being made. Please wait until one is done, or cancel one.`,
      );
    }
    await charge(ctx, { userId: user._id, durationS: request.duration, group, perHour: settings?.perHour });
    const { after: afterGiven, ...rest } = request;
    const after =
      afterGiven === undefined ? {} : { after: (await seen(ctx, caller, user, afterGiven, delivery)).piece._id };
    const generationId = await ctx.db.insert("musicGenerations", {
      userId: user._id,
      account: caller.account,
      request: { ...rest, ...after },
      status: "processing",
      isFavorite: false,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(group === undefined ? {} : { group }),
      createdAt: Date.now(),
    });
    await ctx.db.insert("jobs", { generationId, state: "waiting", attempt: 0, createdAt: Date.now() });
    if (delivery !== undefined && poster !== undefined) await deliver(ctx, generationId, poster, delivery);
    return generationId;
  },
});

const ownPiece = v.object({
  _id: v.id("musicGenerations"),
  _creationTime: v.number(),
  userId: v.id("users"),
  request: storedRequest,
  status: generationStatus,
  audioFileId: v.optional(v.id("_storage")),
  metadata: v.optional(storedMetadata),
  progress: v.optional(v.number()),
  stage: v.optional(v.string()),
  secondsLeft: v.optional(v.number()),
  attempt: v.optional(v.number()),
  error: v.optional(v.string()),
  errorCode: v.optional(v.string()),
  title: v.optional(v.string()),
  shared: v.optional(v.boolean()),
  isFavorite: v.boolean(),
  createdAt: v.number(),
  completedAt: v.optional(v.number()),
});

function ownRow({ account: _, idempotencyKey: __, group: ___, ...piece }: Doc<"musicGenerations">): Infer<typeof ownPiece> {
  return piece;
}

/** The caller's newest pieces as rows of the table; `isFavorite` narrows them to those kept (or not kept). */
export const getUserHistory = userQuery({
  args: { isFavorite: v.optional(v.boolean()) },
  returns: v.array(ownPiece),
  handler: async (ctx, { isFavorite }, caller) => {
    const user = await knownUser(ctx, caller);
    if (user === null) return [];
    const pieces = ctx.db.query("musicGenerations");
    const chosen =
      isFavorite === undefined
        ? pieces.withIndex("by_user", (q) => q.eq("userId", user._id))
        : pieces.withIndex("by_user_favorites", (q) => q.eq("userId", user._id).eq("isFavorite", isFavorite));
    return (await chosen.order("desc").take(HISTORY_MAX)).map(ownRow);
  },
});

/** The caller's own pieces, newest first, as views. */
export const history = userQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(pieceView),
  handler: async (ctx, args, caller) => {
    const result = await ownPage(ctx, caller, args.paginationOpts, (userId) =>
      ctx.db.query("musicGenerations").withIndex("by_user", (q) => q.eq("userId", userId)),
    );
    const line = await lineFor(ctx, result.page);
    return {
      ...result,
      page: result.page.map((piece) => viewOf(piece, { own: true, favorite: piece.isFavorite, line })),
    };
  },
});

/** One piece that the caller may see: their own, one they keep, one shared with them, one posted in `place` by their bot. */
export const get = userQuery({
  args: { generationId: v.string(), place: v.optional(place) },
  returns: pieceView,
  handler: async (ctx, { generationId, place }, caller) => {
    const { piece, own, favorite } = await seen(ctx, caller, await knownUser(ctx, caller), generationId, place);
    return viewOf(piece, { own, favorite, line: await lineFor(ctx, [piece]) });
  },
});

/**
 * From a piece that the caller may see back to the first one, twenty at most: what each was made after, and whose that
 * was.
 */
export const chain = userQuery({
  args: { generationId: v.string(), place: v.optional(place) },
  returns: v.array(link),
  handler: async (ctx, { generationId, place }, caller) => {
    const user = await knownUser(ctx, caller);
    return chainFrom(ctx, caller, user, await seen(ctx, caller, user, generationId, place), place);
  },
});

/** Gives one of the caller's own pieces a name of their own; null gives it back the one that it was made with. */
export const rename = userMutation({
  args: { generationId: v.string(), title: v.union(v.string(), v.null()) },
  returns: pieceView,
  handler: async (ctx, { generationId, title }, caller) => {
    const named = title === null ? undefined : text("The name", title.trim().replace(/\s+/g, " "), NAME_MAX);
    const piece = await ownPieceOf(ctx, await knownUser(ctx, caller), generationId);
    await ctx.db.patch("musicGenerations", piece._id, { title: named });
    return viewOf({ ...piece, title: named }, { own: true, favorite: piece.isFavorite, line: await lineFor(ctx, [piece]) });
  },
});

/** Turns the caller's heart on a piece; returns what it is now. */
export const toggleFavorite = userMutation({
  args: {
    generationId: v.string(),
    idempotencyKey: v.optional(v.string()),
    place: v.optional(place),
  },
  returns: v.boolean(),
  handler: async (ctx, { generationId, idempotencyKey, place }, caller) => {
    const user = await userFor(ctx, caller);
    // Within: who let a piece go may see it no longer, and its repeat still gets the first answer.
    return once(ctx, user._id, "toggle", idempotencyKey, async () =>
      heartPiece(ctx, user, await seen(ctx, caller, user, generationId, place), null),
    );
  },
});

async function ownUnfinished(
  ctx: QueryCtx,
  user: Doc<"users">,
  givenId: string | undefined,
): Promise<Doc<"musicGenerations"> | null> {
  if (givenId === undefined) {
    return ctx.db
      .query("musicGenerations")
      .withIndex("by_user_and_status", (q) => q.eq("userId", user._id).eq("status", "processing"))
      .order("desc")
      .first();
  }
  const id = ctx.db.normalizeId("musicGenerations", givenId);
  const piece = id === null ? null : await ctx.db.get("musicGenerations", id);
  if (piece?.userId !== user._id) throw notFound();
  return piece;
}

/** The caller's own piece as they see it once stopped; null for any other, and for one that was removed since. */
async function stopped(ctx: QueryCtx, id: Id<"musicGenerations">): Promise<Infer<typeof pieceView> | null> {
  const piece = await ctx.db.get("musicGenerations", id);
  if (piece?.errorCode !== "cancelled") return null;
  return viewOf(piece, { own: true, favorite: piece.isFavorite, line: await lineFor(ctx, [piece]) });
}

/**
 * Stops one of the caller's own pieces, or their newest unfinished one; null when there is none to stop. Stopping a
 * stopped piece again gives its view again. A key makes the form without an id safe to repeat.
 */
export const cancel = userMutation({
  args: { generationId: v.optional(v.string()), idempotencyKey: v.optional(v.string()) },
  returns: v.union(pieceView, v.null()),
  handler: async (ctx, { generationId, idempotencyKey }, caller) => {
    const user = await knownUser(ctx, caller);
    if (user === null) {
      if (generationId !== undefined) throw notFound();
      return null;
    }
    const key =
      idempotencyKey === undefined ? undefined : `cancel:${text("The idempotency key", idempotencyKey, KEY_MAX)}`;
    const before = key === undefined ? undefined : await recall(ctx, user._id, key);
    if (before !== undefined) {
      const id = typeof before === "string" ? ctx.db.normalizeId("musicGenerations", before) : null;
      return id === null ? null : stopped(ctx, id);
    }
    const piece = await ownUnfinished(ctx, user, generationId);
    if (piece?.status === "processing") await fail(ctx, piece, "cancelled", "You stopped this piece.");
    // Also when there was nothing to stop: a late repeat must not stop a piece that was asked for since.
    if (key !== undefined) await remember(ctx, user._id, key, piece?._id ?? null);
    return piece === null ? null : stopped(ctx, piece._id);
  },
});

/** Takes one of the caller's own pieces away, with its audio and all that hangs on it. Repeating it changes nothing. */
export const remove = userMutation({
  args: { generationId: v.string() },
  returns: v.null(),
  handler: async (ctx, { generationId }, caller) => {
    const user = await knownUser(ctx, caller);
    const id = ctx.db.normalizeId("musicGenerations", generationId);
    if (user === null || id === null) throw notFound();
    const piece = await ctx.db.get("musicGenerations", id);
    if (piece === null && (await recall(ctx, user._id, `remove:${id}`)) !== undefined) return null;
    if (piece?.userId !== user._id) throw notFound();
    await removePiece(ctx, piece);
    await remember(ctx, user._id, `remove:${id}`, null);
    if (piece.idempotencyKey !== undefined) {
      // A late repeat of the request that made it must not make it again.
      await remember(ctx, user._id, `start:${piece.idempotencyKey}`, id);
    }
    return null;
  },
});

/** Puts a piece (back) into the queue: one that failed begins anew, a finished one is left alone. */
export const processGeneration = internalMutation({
  args: { generationId: v.id("musicGenerations") },
  returns: v.null(),
  handler: async (ctx, { generationId }) => {
    const piece = await ctx.db.get("musicGenerations", generationId);
    if (piece !== null) await enqueue(ctx, piece);
    return null;
  },
});
