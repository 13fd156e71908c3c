/** What a bot has to show, and where. */
import { v } from "convex/values";
import type { Doc, Id } from "./_generated/dataModel";
import type { QueryCtx } from "./_generated/server";
import { botMutation, botQuery, type BotCaller } from "./callers";
import { PLACE_MAX, text } from "./limits";
import { announcementOf } from "./model/announcements";
import { noticesOf, noticeView } from "./model/notices";
import { pieceView, viewOf } from "./model/pieces";
import { lineFor } from "./model/queue";
import { notFound } from "./refusals";

/** The oldest so many are watched at once; done ones make room for the rest. */
const OPEN_MAX = 300;

const watched = v.object({
  deliveryId: v.id("deliveries"),
  generationId: v.id("musicGenerations"),
  platform: v.string(),
  chat: v.string(),
  message: v.string(),
  account: v.string(),
  generation: pieceView,
  audioUrl: v.union(v.string(), v.null()),
});

/**
 * All that one bot waits for: its open deliveries, what it has to tell people, what it announces, whether a job waits, which
 * catalogue is published.
 *
 * This is the one live subscription of a bot, and each time it runs again is a call to pay for. It reads the open
 * deliveries, their pieces and finished audio, the waiting end of the queue (only its head while none of the pieces
 * waits) and the catalogue's state. It reads no running job: a lease that is renewed without progress touches only the
 * running job's row, and so runs nothing again; a claim moves a row out of the waiting range and writes the piece in one
 * transaction, and so runs it again once.
 */
export const watch = botQuery({
  args: {},
  returns: v.object({
    deliveries: v.array(watched),
    waitingJob: v.union(v.id("jobs"), v.null()),
    catalogueVersion: v.union(v.string(), v.null()),
    notices: v.array(noticeView),
    announcement: v.union(v.string(), v.null()),
  }),
  handler: async (ctx, _args, caller) => {
    const open = await ctx.db
      .query("deliveries")
      .withIndex("by_bot_and_state", (q) => q.eq("bot", caller.bot).eq("state", "open"))
      .take(OPEN_MAX);
    const shown = await Promise.all(
      open.map(async (delivery) => {
        const piece = await ctx.db.get("musicGenerations", delivery.generationId);
        return piece === null ? null : { delivery, piece, audioUrl: await audioUrl(ctx, piece) };
      }),
    );
    const present = shown.filter((one) => one !== null);
    const line = await lineFor(
      ctx,
      present.map(({ piece }) => piece),
    );
    const catalogue = await ctx.db.query("catalogueState").first();
    return {
      deliveries: present.map(({ delivery, piece, audioUrl }) => ({
        deliveryId: delivery._id,
        generationId: piece._id,
        platform: delivery.platform,
        chat: delivery.chat,
        message: delivery.message,
        account: delivery.account,
        generation: viewOf(piece, { own: true, favorite: piece.isFavorite, line }),
        audioUrl,
      })),
      waitingJob: line.first,
      catalogueVersion: catalogue?.version ?? null,
      notices: await noticesOf(ctx, caller.bot),
      announcement: (await announcementOf(ctx, caller.bot))?.text ?? null,
    };
  },
});

async function audioUrl(ctx: QueryCtx, piece: Doc<"musicGenerations">): Promise<string | null> {
  if (piece.status !== "completed" || piece.audioFileId === undefined) return null;
  return ctx.storage.getUrl(piece.audioFileId);
}

/** The bot's own delivery; null when it went away together with its piece. */
async function ownDelivery(
  ctx: QueryCtx,
  caller: BotCaller,
  deliveryId: Id<"deliveries">,
): Promise<Doc<"deliveries"> | null> {
  const delivery = await ctx.db.get("deliveries", deliveryId);
  if (delivery !== null && delivery.bot !== caller.bot) throw notFound();
  return delivery;
}

/** Says that the result has been shown. Repeating it changes nothing. */
export const done = botMutation({
  args: { deliveryId: v.id("deliveries") },
  returns: v.null(),
  handler: async (ctx, { deliveryId }, caller) => {
    const delivery = await ownDelivery(ctx, caller, deliveryId);
    if (delivery?.state === "open") {
      await ctx.db.patch("deliveries", delivery._id, { state: "done", doneAt: Date.now() });
    }
    return null;
  },
});

/** Says that another message shows the piece now, for instance because the first one can no longer be edited. */
export const move = botMutation({
  args: { deliveryId: v.id("deliveries"), message: v.string() },
  returns: v.null(),
  handler: async (ctx, { deliveryId, message }, caller) => {
    text("The message", message, PLACE_MAX);
    const delivery = await ownDelivery(ctx, caller, deliveryId);
    if (delivery !== null && delivery.message !== message) {
      await ctx.db.patch("deliveries", delivery._id, { message });
    }
    return null;
  },
});
