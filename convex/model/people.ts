/** From a caller to their row. */
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { UserCaller } from "../callers";
import { notFound } from "../refusals";
import { migratedUser } from "./migrationPeople";

function accountOf(ctx: QueryCtx, caller: UserCaller): Promise<Doc<"accounts"> | null> {
  return ctx.db
    .query("accounts")
    .withIndex("by_account", (q) => q.eq("account", caller.account))
    .unique();
}

/**
 * The caller's row, or null before their first piece or favorite. Somebody who was moved here from the older application
 * has one before that.
 */
export async function knownUser(ctx: QueryCtx, caller: UserCaller): Promise<Doc<"users"> | null> {
  const account = await accountOf(ctx, caller);
  return account === null ? migratedUser(ctx, caller) : ctx.db.get("users", account.userId);
}

/** The caller's row, made on first use together with their account's. */
export async function userFor(ctx: MutationCtx, caller: UserCaller): Promise<Doc<"users">> {
  const account = await accountOf(ctx, caller);
  const named = caller.name === undefined ? {} : { name: caller.name };
  if (account !== null) {
    if (caller.name !== undefined && caller.name !== account.name) {
      await ctx.db.patch("accounts", account._id, named);
    }
    const user = await ctx.db.get("users", account.userId);
    if (user === null) throw notFound();
    return user;
  }
  const createdAt = Date.now();
  const moved = await migratedUser(ctx, caller);
  const userId =
    moved?._id ??
    (await ctx.db.insert("users", {
      ...named,
      ...(caller.email === undefined ? {} : { email: caller.email.toLowerCase() }),
      createdAt,
    }));
  await ctx.db.insert("accounts", {
    account: caller.account,
    userId,
    platform: caller.platform,
    ...named,
    createdAt,
  });
  const user = await ctx.db.get("users", userId);
  if (user === null) throw notFound();
  return user;
}
