import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  counters: defineTable({ name: v.string(), value: v.number() }).index("by_name", ["name"]),
  messages: defineTable({
    channel: v.string(),
    author: v.string(),
    body: v.string(),
    likes: v.optional(v.number()),
    replyTo: v.optional(v.id("messages")),
  })
    .index("by_channel", ["channel"])
    .index("by_channel_and_author", ["channel", "author"])
    .searchIndex("search_body", { searchField: "body", filterFields: ["channel"] }),
  // Values of every type in two indexed fields, for tests of order and ranges.
  samples: defineTable({ a: v.optional(v.any()), b: v.optional(v.any()), tag: v.optional(v.string()) })
    .index("by_a", ["a"])
    .index("by_a_b", ["a", "b"])
    .index("by_nested", ["a.x"]),
  vectors: defineTable({ label: v.string(), group: v.string(), embedding: v.array(v.number()) }).vectorIndex("by_embedding", {
    vectorField: "embedding",
    dimensions: 3,
    filterFields: ["group", "label"],
  }),
  notes: defineTable({ from: v.string(), text: v.string() }).index("by_from", ["from"]),
});
