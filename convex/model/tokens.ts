/** Tokens of links: made by the caller from the system's random numbers, 128 bits of them. */
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { invalid } from "../refusals";
import { enoughAt, take } from "./allowances";

/** 16 bytes in the alphabet of URLs. */
const TOKEN = /^[A-Za-z0-9_-]{22}$/;

export function checkedToken(token: string): string {
  if (!TOKEN.test(token)) throw invalid("A link needs a token of 22 letters, digits, - and _.");
  return token;
}

export function shareBy(ctx: QueryCtx, token: string): Promise<Doc<"shares"> | null> {
  return ctx.db
    .query("shares")
    .withIndex("by_token", (q) => q.eq("token", token))
    .first();
}

export function inviteBy(ctx: QueryCtx, token: string): Promise<Doc<"playlistInvites"> | null> {
  return ctx.db
    .query("playlistInvites")
    .withIndex("by_token", (q) => q.eq("token", token))
    .first();
}

/** Refuses a token that stands for something already: it would lead to two places. */
export async function expectNew(ctx: QueryCtx, token: string): Promise<void> {
  checkedToken(token);
  if ((await shareBy(ctx, token)) !== null || (await inviteBy(ctx, token)) !== null) throw invalid("Please make a new link.");
}

/** When an account that named many wrong tokens may go on (ms); null for now. */
export function pausedUntil(ctx: QueryCtx, account: string): Promise<number | null> {
  return enoughAt(ctx, "tokenTries", account);
}

/** Counts a wrong token. Its caller answers with a value: an error would take the count back. */
export async function countWrong(ctx: MutationCtx, account: string): Promise<void> {
  await take(ctx, "tokenTries", account);
}
