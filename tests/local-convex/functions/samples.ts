import { type GenericId, v } from "convex/values";

import { internalMutation, mutation, query } from "./typed";

const step = v.object({ op: v.string(), field: v.optional(v.string()), value: v.optional(v.any()) });
const plan = {
  index: v.union(v.null(), v.literal("by_a"), v.literal("by_a_b"), v.literal("by_nested"), v.literal("by_creation_time"), v.literal("by_id")),
  range: v.array(step),
  filter: v.optional(v.any()),
  order: v.union(v.literal("asc"), v.literal("desc")),
};

type Id = GenericId<"samples">;
type Step = { op: string; field?: string; value?: unknown };

/** Values of `undefined` cannot be sent: this one stands for it. */
function sent(value: unknown): unknown {
  return value === "__undefined__" ? undefined : value;
}

/** Query builders as far as these tests go; their own types need a fixed index and fixed fields. */
type Chain = {
  withIndex: (index: string, range: (q: Bounds) => Bounds) => Chain;
  order: (order: string) => Chain;
  filter: (predicate: (q: Operators) => unknown) => Chain;
  collect: () => Promise<unknown[]>;
  take: (count: number) => Promise<unknown[]>;
  paginate: (options: object) => Promise<unknown>;
};
type Bounds = { [op: string]: (field: string, value: unknown) => Bounds };
type Operators = { [operator: string]: (...operands: unknown[]) => unknown };
type Plan = { index: string | null; range: Step[]; filter?: unknown; order: string };

/** Builds a query out of data, so that tests can make up queries. */
function build(db: unknown, { index, range, filter, order }: Plan): Chain {
  let built = (db as { query: (table: string) => Chain }).query("samples");
  if (index !== null) {
    built = built.withIndex(index, (q) => range.reduce((bounds, { op, field, value }) => (bounds[op] as Bounds[string])(field ?? "", sent(value)), q));
  }
  built = built.order(order);
  return filter === undefined ? built : built.filter((q) => expression(q, filter));
}

function expression(q: Operators, json: unknown): unknown {
  if (!Array.isArray(json)) return json;
  const [operator, ...operands] = json as [string, ...unknown[]];
  if (operator === "literal") return sent(operands[0]);
  if (operator === "field") return q["field"]?.(operands[0]);
  return q[operator]?.(...operands.map((operand) => expression(q, operand)));
}

export const add = mutation({
  args: { rows: v.array(v.object({ a: v.optional(v.any()), b: v.optional(v.any()), tag: v.optional(v.string()) })) },
  handler: async (ctx, { rows }) => {
    const ids: string[] = [];
    for (const row of rows) ids.push(await ctx.db.insert("samples", row));
    return ids;
  },
});

export const clear = mutation({
  args: {},
  handler: async (ctx) => {
    for await (const row of ctx.db.query("samples")) await ctx.db.delete("samples", row._id);
  },
});

export const run = query({
  args: { ...plan, take: v.optional(v.number()) },
  handler: async (ctx, { take, ...rest }): Promise<unknown[]> => {
    const built = build(ctx.db, rest);
    return take === undefined ? built.collect() : built.take(take);
  },
});

export const runPage = query({
  args: {
    ...plan,
    numItems: v.number(),
    cursor: v.union(v.string(), v.null()),
    endCursor: v.optional(v.union(v.string(), v.null())),
    maximumRowsRead: v.optional(v.number()),
  },
  handler: async (ctx, { numItems, cursor, endCursor, maximumRowsRead, ...rest }): Promise<unknown> =>
    build(ctx.db, rest).paginate({ numItems, cursor, endCursor, maximumRowsRead }),
});

export const twoPages = query({
  args: {},
  handler: async (ctx) => {
    await ctx.db.query("samples").paginate({ numItems: 1, cursor: null });
    return ctx.db.query("samples").paginate({ numItems: 1, cursor: null });
  },
});

export const unique = query({
  args: { a: v.any() },
  handler: async (ctx, { a }): Promise<unknown> =>
    ctx.db
      .query("samples")
      .withIndex("by_a", (q) => q.eq("a", a))
      .unique(),
});

export const writes = mutation({
  args: { id: v.string(), op: v.string(), value: v.optional(v.any()), unset: v.optional(v.string()) },
  handler: async (ctx, { id, op, value, unset }): Promise<unknown> => {
    if (op === "delete") await ctx.db.delete(id as Id);
    else if (op === "patch") await ctx.db.patch(id as Id, { ...(value as object), ...(unset === undefined ? {} : { [unset]: undefined }) } as never);
    else await ctx.db.replace(id as Id, value as never);
    return ctx.db.get(id as Id);
  },
});

export const nested = mutation({
  args: { fail: v.boolean() },
  handler: async (ctx, { fail }) => {
    await ctx.db.insert("samples", { tag: "outer" });
    try {
      await ctx.runMutation("samples:inner" as never, { fail } as never);
    } catch {
      await ctx.db.insert("samples", { tag: "caught" });
    }
    const rows = await ctx.db.query("samples").collect();
    return rows.map((row) => row.tag);
  },
});

export const inner = internalMutation({
  args: { fail: v.boolean() },
  handler: async (ctx, { fail }) => {
    await ctx.db.insert("samples", { tag: "inner" });
    if (fail) throw new Error("inner failed");
  },
});

export const normalize = query({
  args: { table: v.string(), id: v.string() },
  handler: (ctx, { table, id }) => ctx.db.normalizeId(table as never, id),
});

export const many = mutation({
  args: { count: v.number() },
  handler: async (ctx, { count }) => {
    for (let i = 0; i < count; i += 1) await ctx.db.insert("samples", { a: i });
  },
});

export const manyReads = query({
  args: { count: v.number() },
  handler: async (ctx, { count }) => {
    for (let i = 0; i < count; i += 1) {
      await ctx.db
        .query("samples")
        .withIndex("by_a", (q) => q.eq("a", -1))
        .first();
    }
  },
});
