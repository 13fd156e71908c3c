/** What is somebody's own: having it shown, and having it deleted. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";
import { internalMutation, type MutationCtx, type QueryCtx } from "./_generated/server";
import { userMutation, userQuery } from "./callers";
import { endLinksOf } from "./links";
import { ACCOUNTS_MAX } from "./limits";
import { forget } from "./model/allowances";
import { copied, row, section } from "./model/copies";
import { eraseAccount, eraseSome, forgetOrigin, settleAll } from "./model/erasing";
import { tell } from "./model/notices";
import { anyUser, knownUser } from "./model/people";
import { fail } from "./model/queue";

const UNFINISHED_MAX = 100;

/**
 * Deletes the caller with all that is theirs, in batches; from now on everything else is refused to them until it is
 * done. Each account that a bot reaches is told then. Repeating it changes nothing.
 */
export const deleteMe = userMutation({
  args: {},
  returns: v.object({ deleting: v.boolean() }),
  handler: async (ctx, _args, caller) => {
    const user = await anyUser(ctx, caller);
    if (user === null) return { deleting: false };
    if (user.deletingAt !== undefined) return { deleting: true };
    await ctx.db.patch("users", user._id, { deletingAt: Date.now() });
    const unfinished = await ctx.db
      .query("musicGenerations")
      .withIndex("by_user_and_status", (q) => q.eq("userId", user._id).eq("status", "processing"))
      .take(UNFINISHED_MAX);
    for (const { account } of await accountsOf(ctx, user._id)) await endLinksOf(ctx, account);
    // At once: what is being made of them now is stopped where it is made.
    for (const piece of unfinished) await fail(ctx, piece, "cancelled", "You had everything deleted.");
    await ctx.scheduler.runAfter(0, internal.privacy.erase, { userId: user._id });
    return { deleting: true };
  },
});

function accountsOf(ctx: QueryCtx, userId: Id<"users">): Promise<Doc<"accounts">[]> {
  return ctx.db
    .query("accounts")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(ACCOUNTS_MAX);
}

async function eraseAccounts(ctx: MutationCtx, userId: Id<"users">): Promise<boolean> {
  let done = true;
  for (const { account } of await accountsOf(ctx, userId)) done = (await eraseAccount(ctx, account)) && done;
  return done;
}

/** Goes on with a deletion. Each step is a transaction of its own, so that it goes on where it was after any fault. */
export const erase = internalMutation({
  args: { userId: v.id("users") },
  returns: v.null(),
  handler: async (ctx, { userId }) => {
    const user = await ctx.db.get("users", userId);
    if (user?.deletingAt === undefined) return null;
    await settleAll(ctx, userId);
    if (!((await eraseSome(ctx, userId)) && (await eraseAccounts(ctx, userId)))) {
      await ctx.scheduler.runAfter(0, internal.privacy.erase, { userId });
      return null;
    }
    await forget(ctx, userId);
    await forgetOrigin(ctx, userId);
    const accounts = await accountsOf(ctx, userId);
    for (const account of accounts) {
      await ctx.db.delete("accounts", account._id);
      await tell(ctx, account, "deleted", {});
    }
    if (accounts.length === ACCOUNTS_MAX) {
      // Sign-ins by a verified e-mail address are not counted when they come.
      await ctx.scheduler.runAfter(0, internal.privacy.erase, { userId });
      return null;
    }
    await ctx.db.delete("users", userId);
    return null;
  },
});

/** Takes deletions up again that stand still, for instance because a deployment was stopped in the middle of one. */
export const resume = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const begun = await ctx.db
      .query("users")
      .withIndex("by_deletion", (q) => q.gt("deletingAt", 0).lt("deletingAt", Date.now() - 10 * 60_000))
      .take(20);
    for (const { _id } of begun) await ctx.scheduler.runAfter(0, internal.privacy.erase, { userId: _id });
    return null;
  },
});

/** What is kept of the caller, page by page, as it stands there but for ids of others. For a copy of their own. */
export const page = userQuery({
  args: { section, paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(row),
  handler: async (ctx, { section, paginationOpts }, caller) => {
    const user = await knownUser(ctx, caller);
    if (user === null) return { page: [], isDone: true, continueCursor: "" };
    return copied(ctx, section, user._id, paginationOpts);
  },
});
