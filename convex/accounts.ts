/** What Convex knows of the caller themselves. */
import { v } from "convex/values";
import { userQuery } from "./callers";
import { knownUser } from "./model/people";
import { preferences } from "./schema";

/** One person links no more chat accounts than these. */
const ACCOUNTS_MAX = 20;

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
          account: v.string(),
          platform: v.string(),
          name: v.optional(v.string()),
          createdAt: v.number(),
        }),
      ),
    }),
  ),
  handler: async (ctx, _args, caller) => {
    const user = await knownUser(ctx, caller);
    if (user === null) return null;
    const accounts = await ctx.db
      .query("accounts")
      .withIndex("by_user", (q) => q.eq("userId", user._id))
      .take(ACCOUNTS_MAX);
    const { _id: id, name, email, preferences, createdAt } = user;
    return {
      user: { id, name, email, preferences, createdAt },
      accounts: accounts.map(({ account, platform, name, createdAt }) => ({ account, platform, name, createdAt })),
    };
  },
});
