import { paginationOptsValidator } from "convex/server";
import { ConvexError, type GenericId as Id, v } from "convex/values";

import { action, internalMutation, internalQuery, mutation, query } from "./typed";

export const list = query({
  args: { channel: v.string() },
  handler: async (ctx, { channel }) =>
    ctx.db
      .query("messages")
      .withIndex("by_channel", (q) => q.eq("channel", channel))
      .collect(),
});

export const bodies = query({
  args: { channel: v.string() },
  returns: v.array(v.string()),
  handler: async (ctx, { channel }) => {
    const found = await ctx.db
      .query("messages")
      .withIndex("by_channel", (q) => q.eq("channel", channel))
      .collect();
    return found.map((message) => message.body);
  },
});

export const send = mutation({
  args: { channel: v.string(), author: v.string(), body: v.string() },
  returns: v.id("messages"),
  handler: async (ctx, args) => ctx.db.insert("messages", args),
});

export const edit = mutation({
  args: { id: v.id("messages"), body: v.string() },
  handler: async (ctx, { id, body }) => ctx.db.patch("messages", id, { body }),
});

export const like = mutation({
  args: { id: v.id("messages") },
  handler: async (ctx, { id }) => {
    const message = await ctx.db.get("messages", id);
    if (message === null) throw new ConvexError({ code: "not_found", id });
    await ctx.db.patch("messages", id, { likes: (message.likes ?? 0) + 1 });
  },
});

export const remove = mutation({ args: { id: v.id("messages") }, handler: async (ctx, { id }) => ctx.db.delete("messages", id) });

export const get = query({ args: { id: v.string() }, handler: async (ctx, { id }) => ctx.db.get(id as Id<"messages">) });

export const page = query({
  args: { channel: v.string(), paginationOpts: paginationOptsValidator },
  handler: async (ctx, { channel, paginationOpts }) =>
    ctx.db
      .query("messages")
      .withIndex("by_channel", (q) => q.eq("channel", channel))
      .paginate(paginationOpts),
});

export const search = query({
  args: { text: v.string(), channel: v.optional(v.string()) },
  returns: v.array(v.string()),
  handler: async (ctx, { text, channel }) => {
    const found = await ctx.db
      .query("messages")
      .withSearchIndex("search_body", (q) => {
        const search = q.search("body", text);
        return channel === undefined ? search : search.eq("channel", channel);
      })
      .take(20);
    return found.map((message) => message.body);
  },
});

export const secret = internalQuery({ args: {}, handler: () => "only for functions" });
export const secretWrite = internalMutation({ args: { body: v.string() }, handler: async (ctx, { body }) => ctx.db.insert("notes", { from: "secret", text: body }) });

export const sendTwice = action({
  args: { channel: v.string(), body: v.string() },
  handler: async (ctx, { channel, body }): Promise<number> => {
    await ctx.runMutation("messages:send" as never, { channel, author: "action", body } as never);
    await ctx.runMutation("messages:send" as never, { channel, author: "action", body } as never);
    return ((await ctx.runQuery("messages:bodies" as never, { channel } as never)) as string[]).length;
  },
});
