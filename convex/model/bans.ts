/** Who may have nothing made. An account is known by its SHA-256 alone, so that a ban holds nothing readable. */
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { ACCOUNTS_MAX } from "../limits";
import { forbidden } from "../refusals";

/** Stands for every group, and for where there is none. */
export const EVERYWHERE = "";

export async function hashOf(account: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(account)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function banOf(ctx: QueryCtx, group: string, hash: string): Promise<Doc<"bans"> | null> {
  return ctx.db
    .query("bans")
    .withIndex("by_group", (q) => q.eq("group", group).eq("hash", hash))
    .first();
}

async function hashesOf(ctx: QueryCtx, userId: Id<"users">): Promise<string[]> {
  const accounts = await ctx.db
    .query("accounts")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(ACCOUNTS_MAX);
  return Promise.all(accounts.map(({ account }) => hashOf(account)));
}

/** Refuses who is banned everywhere or in the group: by any of their accounts, or linking another would end a ban. */
export async function expectWelcome(ctx: QueryCtx, user: Doc<"users">, group?: string): Promise<void> {
  for (const hash of await hashesOf(ctx, user._id)) {
    if ((await banOf(ctx, EVERYWHERE, hash)) !== null) {
      throw forbidden("You may not have pieces made or shared here. /privacy, /export and /delete still work for you.");
    }
    if (group !== undefined && (await banOf(ctx, group, hash)) !== null) {
      throw forbidden("Those who look after this group do not want you to have pieces made here. In a direct message you still can.");
    }
  }
}
