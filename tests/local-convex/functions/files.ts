import { v } from "convex/values";

import { action, mutation, query } from "./typed";

export const uploadUrl = mutation({ args: {}, handler: async (ctx) => ctx.storage.generateUploadUrl() });
export const url = query({ args: { id: v.string() }, handler: async (ctx, { id }) => ctx.storage.getUrl(id as never) });
export const metadata = query({ args: { id: v.id("_storage") }, handler: async (ctx, { id }) => ctx.db.system.get("_storage", id) });
export const all = query({ args: {}, handler: async (ctx) => ctx.db.system.query("_storage").collect() });
export const remove = mutation({ args: { id: v.id("_storage") }, handler: async (ctx, { id }) => ctx.storage.delete(id) });
export const write = mutation({ args: { id: v.id("_storage") }, handler: async (ctx, { id }) => ctx.db.patch(id as never, { size: 1 } as never) });
export const store = action({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    const id = await ctx.storage.store(new Blob([text], { type: "text/plain" }));
    const blob = await ctx.storage.get(id);
    return { id, text: await blob?.text(), type: blob?.type };
  },
});
export const storeInMutation = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    const { store } = ctx.storage as unknown as { store: (blob: Blob) => Promise<string> };
    return store(new Blob([text], { type: "text/plain" }));
  },
});
export const storeAndFail = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    const { store } = ctx.storage as unknown as { store: (blob: Blob) => Promise<string> };
    await store(new Blob([text]));
    throw new Error("undone");
  },
});
