/** From a caller to their row. */
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { UserCaller } from "../callers";
import { notFound, refusal } from "../refusals";
import { migratedUser } from "./migrationPeople";

export function accountOf(ctx: QueryCtx, account: string): Promise<Doc<"accounts"> | null> {
  return ctx.db
    .query("accounts")
    .withIndex("by_account", (q) => q.eq("account", account))
    .unique();
}

/** Whatever somebody asks while all of theirs is being deleted is refused. */
function present(user: Doc<"users">): Doc<"users"> {
  if (user.deletingAt === undefined) return user;
  throw refusal("deleting", "Everything of yours is being deleted right now, as you asked. In a minute you can begin anew.");
}

/** The row that a row has become part of, or the row itself. */
async function whole(ctx: QueryCtx, user: Doc<"users"> | null): Promise<Doc<"users"> | null> {
  return user?.mergedInto === undefined ? user : ctx.db.get("users", user.mergedInto);
}

/** The caller's row also where it is being deleted; else as `knownUser`. */
export async function anyUser(ctx: QueryCtx, caller: UserCaller): Promise<Doc<"users"> | null> {
  const account = await accountOf(ctx, caller.account);
  return account === null ? whole(ctx, await migratedUser(ctx, caller)) : ctx.db.get("users", account.userId);
}

/**
 * The caller's row, or null before their first piece or favorite. Somebody who was moved here from the older application
 * has one before that.
 */
export async function knownUser(ctx: QueryCtx, caller: UserCaller): Promise<Doc<"users"> | null> {
  const user = await anyUser(ctx, caller);
  return user === null ? null : present(user);
}

/** The caller's row, made on first use together with their account's. */
export async function userFor(ctx: MutationCtx, caller: UserCaller): Promise<Doc<"users">> {
  const account = await accountOf(ctx, caller.account);
  const named = caller.name === undefined ? {} : { name: caller.name };
  const through = caller.bot === undefined ? {} : { bot: caller.bot };
  if (account !== null) {
    const renamed = caller.name !== undefined && caller.name !== account.name;
    const moved = caller.bot !== undefined && caller.bot !== account.bot;
    if (renamed || moved) await ctx.db.patch("accounts", account._id, { ...named, ...through });
    const user = await ctx.db.get("users", account.userId);
    if (user === null) throw notFound();
    return present(user);
  }
  const createdAt = Date.now();
  const migrated = await whole(ctx, await migratedUser(ctx, caller));
  const userId =
    (migrated === null ? null : present(migrated)._id) ??
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
    ...through,
    createdAt,
  });
  const user = await ctx.db.get("users", userId);
  if (user === null) throw notFound();
  return user;
}
