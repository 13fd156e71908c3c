import { v } from "convex/values";

import { action, mutation } from "./typed";

export const add = mutation({
  args: { label: v.string(), group: v.string(), embedding: v.array(v.number()) },
  handler: async (ctx, args) => ctx.db.insert("vectors", args),
});

export const similar = action({
  args: { vector: v.array(v.number()), groups: v.array(v.string()), limit: v.optional(v.number()) },
  handler: async (ctx, { vector, groups, limit }) =>
    ctx.vectorSearch("vectors", "by_embedding", {
      vector,
      ...(limit === undefined ? {} : { limit }),
      ...(groups.length === 0 ? {} : { filter: (q) => q.or(...groups.map((group) => q.eq("group", group))) }),
    }),
});
