/** What Convex knows of the caller themselves, and what they may change about it. */
import { v } from "convex/values";
import { userMutation, userQuery } from "./callers";
import { endLinksOf } from "./links";
import { ACCOUNTS_MAX, KEY_MAX, text } from "./limits";
import { allowance as allowanceOf, left } from "./model/allowances";
import { openMerge, settle } from "./model/merging";
import { named, tell } from "./model/notices";
import { anyUser, knownUser, userFor } from "./model/people";
import { changed } from "./model/preferences";
import { recall, remember } from "./model/replays";
import { notFound, refusal } from "./refusals";
import { preferences } from "./schema";

const UNFINISHED_SHOWN = 20;

const allowance = v.object({ left: v.number(), of: v.number(), everyS: v.number() });

/** Who the caller is here, with all their accounts; null before they have kept anything. */
export const me = userQuery({
  args: {},
  returns: v.union(
    v.null(),
    v.object({
      user: v.object({
        id: v.id("users"),
        name: v.optional(v.string()),
        email: v.optional(v.string()),
        preferences: v.optional(preferences),
        createdAt: v.number(),
      }),
      accounts: v.array(
        v.object({
          id: v.id("accounts"),
          account: v.string(),
          platform: v.string(),
          name: v.optional(v.string()),
          createdAt: v.number(),
          current: v.boolean(),
        }),
      ),
      quota: v.object({ pieces: allowance, seconds: allowance, running: v.number() }),
      deleting: v.boolean(),
      undo: v.union(v.null(), v.object({ mergeId: v.id("merges"), until: v.number() })),
    }),
  ),
  handler: async (ctx, _args, caller) => {
    const user = await anyUser(ctx, caller);
    if (user === null) return null;
    const accounts = await ctx.db
      .query("accounts")
      .withIndex("by_user", (q) => q.eq("userId", user._id))
      .take(ACCOUNTS_MAX);
    const running = await ctx.db
      .query("musicGenerations")
      .withIndex("by_user_and_status", (q) => q.eq("userId", user._id).eq("status", "processing"))
      .take(UNFINISHED_SHOWN);
    const merged = await openMerge(ctx, user);
    const { _id: id, name, email, preferences, createdAt, deletingAt } = user;
    const share = async (which: "pieces" | "seconds") => ({
      left: Math.floor(await left(ctx, which, id)),
      of: allowanceOf(which).capacity,
      everyS: allowanceOf(which).period / 1000,
    });
    return {
      user: { id, name, email, preferences, createdAt },
      accounts: accounts.map(({ _id, account, platform, name, createdAt }) => ({
        id: _id,
        account,
        platform,
        name,
        createdAt,
        current: account === caller.account,
      })),
      quota: { pieces: await share("pieces"), seconds: await share("seconds"), running: running.length },
      deleting: deletingAt !== undefined,
      undo: merged === null || merged.until <= Date.now() ? null : { mergeId: merged._id, until: merged.until },
    };
  },
});

/** Sets what the caller prefers; null forgets a setting. Returns all of them as they are now. */
export const setPreferences = userMutation({
  args: { changes: v.record(v.string(), v.union(v.string(), v.number(), v.boolean(), v.null())) },
  returns: preferences,
  handler: async (ctx, { changes }, caller) => {
    const user = await userFor(ctx, caller);
    const after = changed(user.preferences, changes);
    await ctx.db.patch("users", user._id, { preferences: after });
    return after;
  },
});

/**
 * Takes one of the caller's accounts out; its next command begins anew, and everything made so far stays here. The last
 * one cannot go. A link that brought it is final then.
 */
export const unlink = userMutation({
  args: { id: v.string(), idempotencyKey: v.string() },
  returns: v.object({ left: v.number() }),
  handler: async (ctx, { id: given, idempotencyKey }, caller) => {
    const key = `unlink:${text("The idempotency key", idempotencyKey, KEY_MAX)}`;
    const asker = await knownUser(ctx, caller);
    const before = asker === null ? undefined : await recall(ctx, asker._id, key);
    // Who took themselves out is nobody here when the call is repeated.
    if (asker === null) return { left: 0 };
    const accounts = await ctx.db
      .query("accounts")
      .withIndex("by_user", (q) => q.eq("userId", asker._id))
      .take(ACCOUNTS_MAX);
    if (before !== undefined) return { left: accounts.length };
    const account = accounts.find((one) => one._id === given);
    if (account === undefined) throw notFound();
    if (accounts.length === 1) {
      throw refusal("last_account", "This is your only account here, so there is nothing to unlink. /delete removes all that is yours.");
    }
    const merged = await openMerge(ctx, asker);
    if (merged !== null) await settle(ctx, merged);
    await ctx.db.delete("accounts", account._id);
    await endLinksOf(ctx, account.account);
    await remember(ctx, asker._id, key, null);
    const by = named({ platform: caller.platform, name: caller.name });
    if (account.account !== caller.account) await tell(ctx, account, "unlinked", by);
    return { left: accounts.length - 1 };
  },
});
