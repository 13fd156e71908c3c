import { v } from "convex/values";

import { action, mutation, query } from "./typed";

export const echo = query({ args: { value: v.any() }, handler: (_, { value }): unknown => value });
export const echoFromAction = action({ args: { value: v.any() }, handler: (_, { value }): unknown => value });

export const keep = mutation({
  args: { value: v.any() },
  handler: async (ctx, { value }) => {
    const id = await ctx.db.insert("samples", { a: value as unknown, tag: "kept" });
    return (await ctx.db.get("samples", id))?.a as unknown;
  },
});

export const typed = query({
  args: {
    int: v.int64(),
    bytes: v.bytes(),
    record: v.record(v.string(), v.number()),
    union: v.union(v.literal("on"), v.literal(2), v.null()),
    list: v.array(v.boolean()),
    maybe: v.optional(v.string()),
  },
  returns: v.object({ int: v.int64(), length: v.number(), keys: v.array(v.string()) }),
  handler: (_, { int, bytes, record }) => ({ int: int + 1n, length: bytes.byteLength, keys: Object.keys(record) }),
});

export const wrongReturn = query({ args: {}, returns: v.string(), handler: () => 3 as unknown as string });

export const commitTimestamps = mutation({
  args: {},
  handler: async (ctx) => {
    const id = await ctx.db.insert("samples", { a: ctx.db.vars.commitTs, tag: "commit" });
    return id;
  },
});
