/** Hearts: what a person keeps. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v, type Infer } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import type { QueryCtx } from "./_generated/server";
import { userMutation, userQuery } from "./callers";
import { place, PLACE_MAX, text } from "./limits";
import { heartPiece, heartRaga } from "./model/hearts";
import { ownPage } from "./model/ownLists";
import { userFor } from "./model/people";
import { pieceView, viewOf } from "./model/pieces";
import { lineFor, type Line } from "./model/queue";
import { once } from "./model/replays";
import { seen } from "./model/sight";
import { forbidden, invalid } from "./refusals";
import { tradition } from "./schema";

/**
 * Keeps (`on` true), lets go (false) or turns (null) a piece or a raga; returns what it is now. Exactly one of
 * `generationId` and `raga` with `tradition`. A repeated key gives the first answer again and changes nothing.
 */
export const set = userMutation({
  args: {
    generationId: v.optional(v.string()),
    raga: v.optional(v.string()),
    tradition: v.optional(tradition),
    on: v.union(v.boolean(), v.null()),
    idempotencyKey: v.string(),
    place: v.optional(place),
  },
  returns: v.boolean(),
  handler: async (ctx, { generationId, raga, tradition, on, idempotencyKey, place }, caller) => {
    if (generationId !== undefined && raga === undefined && tradition === undefined) {
      const user = await userFor(ctx, caller);
      // Within: who let a piece go may see it no longer, and its repeat still gets the first answer.
      return once(ctx, user._id, "favorite", idempotencyKey, async () =>
        heartPiece(ctx, user, await seen(ctx, caller, user, generationId, place), on),
      );
    }
    if (generationId === undefined && raga !== undefined && tradition !== undefined) {
      const user = await userFor(ctx, caller);
      return once(ctx, user._id, "favorite", idempotencyKey, () => heartRaga(ctx, user, raga, tradition, on));
    }
    throw invalid("Please name one piece, or one raga with its tradition.");
  },
});

/**
 * A heart put on or taken off a message of the caller's bot; null when no piece is shown there. The bot vouches that
 * the caller reads in that chat, by the token that it signed for them.
 */
export const setByMessage = userMutation({
  args: { platform: v.string(), chat: v.string(), message: v.string(), on: v.boolean() },
  returns: v.union(v.object({ on: v.boolean(), generationId: v.id("musicGenerations") }), v.null()),
  handler: async (ctx, { platform, chat, message, on }, caller) => {
    const { bot } = caller;
    if (bot === undefined) throw forbidden("Only through a bot can its messages be answered.");
    const delivery = await ctx.db
      .query("deliveries")
      .withIndex("by_message", (q) =>
        q
          .eq("bot", bot)
          .eq("platform", text("The platform", platform, PLACE_MAX))
          .eq("chat", text("The chat", chat, PLACE_MAX))
          .eq("message", text("The message", message, PLACE_MAX)),
      )
      .order("desc")
      .first();
    const piece = delivery === null ? null : await ctx.db.get("musicGenerations", delivery.generationId);
    if (piece === null) return null;
    const user = await userFor(ctx, caller);
    await heartPiece(ctx, user, { piece, own: piece.userId === user._id }, on);
    return { on, generationId: piece._id };
  },
});

const kept = v.object({
  kind: v.union(v.literal("generation"), v.literal("raga")),
  createdAt: v.number(),
  generation: v.optional(pieceView),
  raga: v.optional(v.string()),
  tradition: v.optional(tradition),
});

async function pieceOf(ctx: QueryCtx, favorite: Doc<"favorites">): Promise<Doc<"musicGenerations"> | null> {
  return favorite.generationId === undefined ? null : ctx.db.get("musicGenerations", favorite.generationId);
}

function keptView(
  favorite: Doc<"favorites">,
  piece: Doc<"musicGenerations"> | null,
  line: Line,
): Infer<typeof kept>[] {
  const { kind, createdAt, raga, tradition } = favorite;
  if (kind === "raga") return [{ kind, createdAt, raga, tradition }];
  if (piece === null) return []; // Its owner has removed it, and the sweep has not come here yet.
  const own = piece.userId === favorite.userId;
  return [{ kind, createdAt, generation: viewOf(piece, { own, favorite: true, line }) }];
}

/** What the caller keeps, newest first. */
export const list = userQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(kept),
  handler: async (ctx, args, caller) => {
    const result = await ownPage(ctx, caller, args.paginationOpts, (userId) =>
      ctx.db.query("favorites").withIndex("by_user", (q) => q.eq("userId", userId)),
    );
    const pieces = await Promise.all(result.page.map((favorite) => pieceOf(ctx, favorite)));
    const line = await lineFor(ctx, pieces.filter((piece) => piece !== null));
    return {
      ...result,
      page: result.page.flatMap((favorite, index) => keptView(favorite, pieces[index] ?? null, line)),
    };
  },
});
