/** What stands around a piece that is asked for: what is unfinished, what a key made before, and where it is shown. */
import { v, type Infer } from "convex/values";
import type { Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { UserCaller } from "../callers";
import { PLACE_MAX, text, UNFINISHED_MAX } from "../limits";
import { forbidden } from "../refusals";
import { groupKey } from "./groups";
import { recall } from "./replays";

/**
 * Where the piece is shown; `group`: the server or group that it is asked for in, whose rules and allowance hold; `room`:
 * the chat of it that the rules name, where that is another, such as the channel of a thread.
 */
export const givenDelivery = v.object({
  platform: v.string(),
  chat: v.string(),
  message: v.string(),
  group: v.optional(v.string()),
  room: v.optional(v.string()),
});
type GivenDelivery = Infer<typeof givenDelivery>;

/** The key of the group that it is asked for in. */
export function groupIn({ bot }: { bot: string }, { platform, group }: GivenDelivery): string | undefined {
  return group === undefined ? undefined : groupKey(bot, platform, group);
}

/** How many pieces of a user are unfinished, counted as far as it matters. */
export async function unfinished(ctx: QueryCtx, userId: Id<"users">): Promise<number> {
  const pieces = await ctx.db
    .query("musicGenerations")
    .withIndex("by_user_and_status", (q) => q.eq("userId", userId).eq("status", "processing"))
    .take(UNFINISHED_MAX);
  return pieces.length;
}

/** The piece that this key made before, also when it was removed since. */
export async function madeBefore(ctx: QueryCtx, userId: Id<"users">, key: string): Promise<Id<"musicGenerations"> | null> {
  const piece = await ctx.db
    .query("musicGenerations")
    .withIndex("by_user_and_idempotency_key", (q) => q.eq("userId", userId).eq("idempotencyKey", key))
    .first(); // two, where both accounts of somebody used the same one before they were linked
  if (piece !== null) return piece._id;
  const removed = await recall(ctx, userId, `start:${key}`);
  return typeof removed === "string" ? ctx.db.normalizeId("musicGenerations", removed) : null;
}

export async function deliver(
  ctx: MutationCtx,
  generationId: Id<"musicGenerations">,
  caller: UserCaller & { bot: string },
  delivery: GivenDelivery,
): Promise<void> {
  const { platform, chat, message } = delivery;
  await ctx.db.insert("deliveries", {
    generationId,
    bot: caller.bot,
    platform: text("The platform", platform, PLACE_MAX),
    chat: text("The chat", chat, PLACE_MAX),
    message: text("The message", message, PLACE_MAX),
    group: groupIn(caller, delivery),
    account: caller.account,
    state: "open",
    createdAt: Date.now(),
  });
}

export function throughBot(caller: UserCaller): UserCaller & { bot: string } {
  const { bot } = caller;
  if (bot === undefined) throw forbidden("Only a bot can post a piece for you.");
  return { ...caller, bot };
}
