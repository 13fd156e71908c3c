import { ConvexError, v } from "convex/values";

import { action, mutation, query } from "./typed";

export const fail = mutation({
  args: { how: v.string() },
  handler: async (ctx, { how }) => {
    await ctx.db.insert("notes", { from: "fail", text: "must not stay" });
    if (how === "convex") throw new ConvexError({ code: "refused", count: 3n });
    if (how === "string") throw "only text"; // eslint-disable-line @typescript-eslint/only-throw-error -- this is what is tested
    throw new Error("boom");
  },
});
export const failAction = action({
  args: { how: v.string() },
  handler: async (ctx, { how }) => {
    await ctx.runMutation("behavior:fail" as never, { how } as never);
  },
});
export const failQuery = query({
  args: {},
  handler: () => {
    throw new ConvexError("no");
  },
});
export const notes = query({ args: {}, handler: async (ctx) => (await ctx.db.query("notes").collect()).map((note) => note.text) });

export const spin = query({
  args: {},
  handler: async () => {
    await Promise.resolve();
    for (;;);
  },
});
export const hang = query({ args: {}, handler: () => new Promise(() => undefined) });
export const timers = query({
  args: {},
  handler: () => {
    setTimeout(() => undefined, 1);
  },
});
export const network = mutation({ args: {}, handler: async () => (await fetch("http://127.0.0.1:1/")).status });

export const clock = query({
  args: {},
  handler: () => {
    const first = Date.now();
    for (let i = 0; i < 300_000; i += 1) Math.sqrt(i);
    return { still: Date.now() === first && new Date().getTime() === first, random: [Math.random(), Math.random()] };
  },
});
/** Depends on one channel, and gives something else each time it runs. */
export const dice = query({
  args: { channel: v.string() },
  handler: async (ctx, { channel }) => {
    const first = await ctx.db
      .query("messages")
      .withIndex("by_channel", (q) => q.eq("channel", channel))
      .collect();
    return [first.length, Math.random()];
  },
});
export const hash = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    await ctx.db.insert("samples", { a: digest });
    return digest;
  },
});
export const environment = query({ args: { name: v.string() }, handler: (_, { name }) => process.env[name] ?? null });
export const environmentOfAction = action({ args: { name: v.string() }, handler: (_, { name }) => process.env[name] ?? null });

export const wait = action({
  args: { ms: v.number() },
  handler: (_, { ms }) =>
    new Promise<string>((resolve) => {
      setTimeout(() => {
        resolve("waited");
      }, ms);
    }),
});
export const readUnknown = query({ args: {}, handler: async (ctx) => ctx.db.query("notThere" as never).collect() });
export const createUnknown = mutation({ args: { text: v.string() }, handler: async (ctx, { text }) => ctx.db.insert("notThere" as never, { text } as never) });
export const wrongIndex = query({ args: {}, handler: async (ctx) => ctx.db.query("messages").withIndex("by_nothing" as never).collect() });
export const systemFields = mutation({ args: { value: v.any() }, handler: async (ctx, { value }) => ctx.db.insert("samples", value as never) });
export const log = query({
  args: {},
  handler: () => {
    console.log("printed by a query");
  },
});
export const logFromAction = action({
  args: {},
  handler: () => {
    console.log("printed by an action", { with: "fields" });
  },
});
export default query({ args: {}, handler: () => "the default export" });
