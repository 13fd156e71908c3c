import { v } from "convex/values";

import { action, internalAction, internalMutation, mutation, query } from "./typed";

export const count = query({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    const row = await ctx.db
      .query("counters")
      .withIndex("by_name", (q) => q.eq("name", name))
      .unique();
    return row?.value ?? 0;
  },
});

export const increment = internalMutation({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    const row = await ctx.db
      .query("counters")
      .withIndex("by_name", (q) => q.eq("name", name))
      .unique();
    if (row === null) await ctx.db.insert("counters", { name, value: 1 });
    else await ctx.db.patch("counters", row._id, { value: row.value + 1 });
  },
});

export const fail = internalMutation({
  args: {},
  handler: () => {
    throw new Error("job failed");
  },
});

export const act = internalAction({
  args: { name: v.string(), ms: v.optional(v.number()) },
  handler: async (ctx, { name, ms }) => {
    if (ms !== undefined) {
      await new Promise((resolve) => {
        setTimeout(resolve, ms);
      });
    }
    await ctx.runMutation("jobs:increment" as never, { name } as never);
  },
});

export const later = mutation({
  args: { path: v.string(), ms: v.number(), args: v.any() },
  handler: async (ctx, { path, ms, args }) => ctx.scheduler.runAfter(ms, path as never, args as never),
});
export const laterFromAction = action({
  args: { path: v.string(), ms: v.number(), args: v.any() },
  handler: async (ctx, { path, ms, args }) => ctx.scheduler.runAfter(ms, path as never, args as never),
});
export const laterAndFail = mutation({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    await ctx.scheduler.runAfter(0, "jobs:increment" as never, { name } as never);
    throw new Error("undone");
  },
});
export const cancel = mutation({ args: { id: v.id("_scheduled_functions") }, handler: async (ctx, { id }) => ctx.scheduler.cancel(id) });
export const cancelSlowly = mutation({
  args: { id: v.id("_scheduled_functions") },
  handler: async (ctx, { id }) => {
    const bytes = new Uint8Array(4 << 20);
    for (let i = 0; i < 40; i += 1) await crypto.subtle.digest("SHA-256", bytes);
    await ctx.scheduler.cancel(id);
  },
});
export const state = query({ args: { id: v.id("_scheduled_functions") }, handler: async (ctx, { id }) => ctx.db.system.get("_scheduled_functions", id) });

/** One write and one job in a transaction, for tests of durability: the job counts what the write announced. */
export const announce = mutation({
  args: { key: v.string() },
  handler: async (ctx, { key }) => {
    await ctx.db.insert("notes", { from: "announced", text: key });
    await ctx.scheduler.runAfter(0, "jobs:increment" as never, { name: key } as never);
    return key;
  },
});
export const announced = query({
  args: {},
  handler: async (ctx) => {
    const notes = await ctx.db
      .query("notes")
      .withIndex("by_from", (q) => q.eq("from", "announced"))
      .collect();
    const counters = await ctx.db.query("counters").collect();
    return { notes: notes.map((note) => note.text), counters: counters.map((row) => [row.name, row.value] as const) };
  },
});
