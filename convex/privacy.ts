/** What is somebody's own: having it shown, and having it deleted. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation } from "./_generated/server";
import { userMutation, userQuery } from "./callers";
import { pageOf } from "./limits";
import { forget } from "./model/allowances";
import { eraseAccount, eraseSome, forgetOrigin, settleAll } from "./model/erasing";
import { tell } from "./model/notices";
import { anyUser, knownUser } from "./model/people";
import { fail } from "./model/queue";

const ACCOUNTS_MAX = 100;
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
    // At once: what is being made of them now is stopped where it is made.
    for (const piece of unfinished) await fail(ctx, piece, "cancelled", "You had everything deleted.");
    await ctx.scheduler.runAfter(0, internal.privacy.erase, { userId: user._id });
    return { deleting: true };
  },
});

/** Goes on with a deletion. Each step is a transaction of its own, so that it goes on where it was after any fault. */
export const erase = internalMutation({
  args: { userId: v.id("users") },
  returns: v.null(),
  handler: async (ctx, { userId }) => {
    const user = await ctx.db.get("users", userId);
    if (user?.deletingAt === undefined) return null;
    await settleAll(ctx, userId);
    let done = await eraseSome(ctx, userId);
    const accounts = await ctx.db
      .query("accounts")
      .withIndex("by_user", (q) => q.eq("userId", userId))
      .take(ACCOUNTS_MAX);
    for (const { account } of accounts) done = (await eraseAccount(ctx, account)) && done;
    if (!done) {
      await ctx.scheduler.runAfter(0, internal.privacy.erase, { userId });
      return null;
    }
    await forget(ctx, userId);
    await forgetOrigin(ctx, userId);
    for (const account of accounts) {
      await ctx.db.delete("accounts", account._id);
      await tell(ctx, account, "deleted", {});
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

const section = v.union(v.literal("pieces"), v.literal("favorites"), v.literal("corrections"));
const plain = v.union(v.string(), v.number(), v.boolean(), v.null());

/** What is kept of the caller, page by page, as it stands there but for ids of others. For a copy of their own. */
export const page = userQuery({
  args: { section, paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(v.record(v.string(), v.union(plain, v.record(v.string(), v.any())))),
  handler: async (ctx, { section, paginationOpts }, caller) => {
    const user = await knownUser(ctx, caller);
    if (user === null) return { page: [], isDone: true, continueCursor: "" };
    switch (section) {
      case "pieces": {
        const found = await pageOf(paginationOpts, (options) =>
          ctx.db
            .query("musicGenerations")
            .withIndex("by_user", (q) => q.eq("userId", user._id))
            .paginate(options),
        );
        return {
          ...found,
          page: found.page.map(({ userId: _, idempotencyKey: __, _creationTime: ___, _id, ...piece }) => given({ id: _id, ...piece })),
        };
      }
      case "favorites": {
        const found = await pageOf(paginationOpts, (options) =>
          ctx.db
            .query("favorites")
            .withIndex("by_user", (q) => q.eq("userId", user._id))
            .paginate(options),
        );
        return { ...found, page: found.page.map(({ userId: _, _id: __, _creationTime: ___, ...favorite }) => given(favorite)) };
      }
      case "corrections": {
        const found = await pageOf(paginationOpts, (options) =>
          ctx.db
            .query("corrections")
            .withIndex("by_user", (q) => q.eq("userId", user._id))
            .paginate(options),
        );
        // Who decided on a report is somebody else.
        return {
          ...found,
          page: found.page.map(({ userId: _, decidedBy: __, _id: ___, _creationTime: ____, ...report }) => given(report)),
        };
      }
    }
  },
});

/** Without the fields that are not set: a record has no room for them. */
function given(row: Record<string, unknown>): Record<string, never> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as Record<string, never>;
}
