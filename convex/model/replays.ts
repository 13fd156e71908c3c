/** Calls that must not run twice: the answer is kept under the caller's key, and given again. */
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { KEY_MAX, text } from "../limits";

type Result = Doc<"replays">["result"];

/** The kept answer, or undefined when this key has not been seen. */
export async function recall(ctx: QueryCtx, userId: Id<"users">, key: string): Promise<Result | undefined> {
  const replay = await ctx.db
    .query("replays")
    .withIndex("by_user_and_key", (q) => q.eq("userId", userId).eq("key", key))
    .first();
  return replay?.result;
}

export async function remember(
  ctx: MutationCtx,
  userId: Id<"users">,
  key: string,
  result: Result,
): Promise<void> {
  await ctx.db.insert("replays", { userId, key, result, createdAt: Date.now() });
}

/** Runs `act` once for each key; without a key, always. Concurrent replays are serialized by Convex's own rules. */
export async function once(
  ctx: MutationCtx,
  userId: Id<"users">,
  operation: string,
  idempotencyKey: string | undefined,
  act: () => Promise<boolean>,
): Promise<boolean> {
  if (idempotencyKey === undefined) return act();
  const key = `${operation}:${text("The idempotency key", idempotencyKey, KEY_MAX)}`;
  const known = await recall(ctx, userId, key);
  if (typeof known === "boolean") return known;
  const result = await act();
  await remember(ctx, userId, key, result);
  return result;
}
