/** The same calls against this deployment and against convex-test give the same answers. */

import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { compareValues as referenceOrder } from "convex/values";
import { convexTest } from "convex-test";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { compareValues } from "../../local-convex/keys.ts";
import { type Value, isFields } from "../../local-convex/values.ts";
import { type Running, removeFolder, start } from "./deployment.ts";
import schema from "./functions/schema.ts";
import { Random, randomValue } from "./random_values.ts";

// convex-test finds the folder by its generated code, which these functions do without.
const modules = {
  ...import.meta.glob(["./functions/**/*.ts", "!./functions/auth.config.ts"]),
  "./functions/_generated/api.js": () => Promise.resolve({}),
};
const ROWS = 60;
const QUERIES = 300;

let deployment: Running;
let own: ConvexHttpClient;
let reference: ReturnType<typeof convexTest>;

beforeAll(async () => {
  deployment = await start();
  own = new ConvexHttpClient(deployment.url, { logger: false });
  reference = convexTest(schema, modules);
});
afterAll(async () => {
  await deployment.stop();
  removeFolder(deployment.state);
});

/** Bytes as the client wants them. */
function forClient(value: Value): unknown {
  if (value instanceof Uint8Array) return value.slice().buffer;
  if (Array.isArray(value)) return value.map(forClient);
  if (isFields(value)) return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, forClient(field)]));
  return value;
}

type Kind = "query" | "mutation" | "action";

async function both(kind: Kind, path: string, args: Record<string, unknown>): Promise<[unknown, unknown]> {
  const ask = async (call: () => Promise<unknown>): Promise<unknown> => {
    try {
      return await call();
    } catch (thrown) {
      return { failed: thrown };
    }
  };
  const reference_ = makeFunctionReference<typeof kind>(path) as never;
  return [
    await ask(() => (own[kind] as (reference: never, args: object) => Promise<unknown>)(reference_, args)),
    await ask(() => (reference[kind] as (reference: never, args: object) => Promise<unknown>)(reference_, args)),
  ];
}

/** The random rows' tags, in the order in which a query gave them. */
function tags(rows: unknown): unknown {
  return Array.isArray(rows) ? rows.map((row: { tag?: string }) => row.tag) : rows;
}

type Range = { op: string; field: string; value: unknown }[];

/** A range of the one or two fields of an index. Values are taken from the rows, so that ranges hit. */
function randomRange(random: Random, fields: string[], values: Value[]): Range {
  const range: Range = [];
  const value = (): unknown => (random.below(6) === 0 ? "__undefined__" : forClient(random.pick(values)));
  for (const field of fields) {
    if (random.below(2) === 0) {
      range.push({ op: "eq", field, value: value() });
      continue;
    }
    // convex-test compares with `undefined` bounds differently from the backend: bounds are values.
    const bound = (): unknown => forClient(random.pick(values));
    if (random.below(2) === 0) range.push({ op: random.pick(["gt", "gte"]), field, value: bound() });
    if (random.below(2) === 0) range.push({ op: random.pick(["lt", "lte"]), field, value: bound() });
    break;
  }
  return range;
}

function randomFilter(random: Random, values: Value[], depth = 2): unknown {
  const operand = (): unknown => (random.below(2) === 0 ? ["field", random.pick(["a", "b", "a.x", "missing"])] : ["literal", forClient(random.pick(values))]);
  if (depth === 0 || random.below(3) > 0) return [random.pick(["eq", "neq", "lt", "lte", "gt", "gte"]), operand(), operand()];
  const operator = random.pick(["and", "or", "not"]);
  const first = randomFilter(random, values, depth - 1);
  return operator === "not" ? ["not", first] : [operator, first, randomFilter(random, values, depth - 1)];
}

// convex-test compares with JavaScript's own operators in filters: the order is taken from the convex package instead.
function evaluate(expression: unknown, row: Record<string, unknown>): unknown {
  const [operator, ...operands] = expression as [string, ...unknown[]];
  const order = (): number => referenceOrder(evaluate(operands[0], row) as never, evaluate(operands[1], row) as never);
  switch (operator) {
    case "field":
      return (operands[0] as string).split(".").reduce<unknown>((part, name) => {
        const isObject = typeof part === "object" && part !== null && !Array.isArray(part) && !(part instanceof ArrayBuffer);
        return isObject ? (part as Record<string, unknown>)[name] : undefined;
      }, row);
    case "literal":
      return operands[0];
    case "eq":
      return order() === 0;
    case "neq":
      return order() !== 0;
    case "lt":
      return order() < 0;
    case "lte":
      return order() <= 0;
    case "gt":
      return order() > 0;
    case "gte":
      return order() >= 0;
    case "and":
      return operands.every((operand) => evaluate(operand, row) === true);
    case "or":
      return operands.some((operand) => evaluate(operand, row) === true);
    default:
      return evaluate(operands[0], row) !== true;
  }
}

describe("random queries over random rows", () => {
  const random = new Random(41);
  const rows: Record<string, unknown>[] = [];
  const values: Value[] = [];

  beforeAll(async () => {
    for (let i = 0; i < ROWS; i += 1) {
      const row: Record<string, unknown> = { tag: `row ${String(i)}` };
      for (const field of ["a", "b"]) {
        if (random.below(8) === 0) continue;
        // NaN has no equal in convex-test's comparisons; its order is tested with the keys.
        const value = randomValue(random, 1);
        if (JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part)).includes("null") && value !== null) continue;
        values.push(value);
        row[field] = forClient(value);
      }
      rows.push(row);
    }
    await both("mutation", "samples:add", { rows });
  });

  const plans = { by_a: ["a"], by_a_b: ["a", "b"], by_nested: ["a.x"] } as const;

  test("index ranges in both directions, with and without a limit", async () => {
    for (let i = 0; i < QUERIES; i += 1) {
      const index = random.pick(Object.keys(plans) as (keyof typeof plans)[]);
      const args = {
        index,
        range: randomRange(random, [...plans[index]], values),
        order: random.pick(["asc", "desc"]),
        ...(random.below(3) === 0 ? { take: random.below(5) } : {}),
      };
      const [mine, theirs] = await both("query", "samples:run", args);
      expect({ args, found: tags(mine) }).toEqual({ args, found: tags(theirs) });
    }
  });

  test("filters", async () => {
    const all = (await own.query(makeFunctionReference<"query">("samples:run"), { index: null, range: [], order: "asc" })) as Record<string, unknown>[];
    for (let i = 0; i < QUERIES; i += 1) {
      const filter = randomFilter(random, values);
      const args = { index: null, range: [], order: "asc", filter };
      const mine: unknown = await own.query(makeFunctionReference<"query">("samples:run"), args);
      expect({ args, found: tags(mine) }).toEqual({ args, found: tags(all.filter((row) => evaluate(filter, row) === true)) });
    }
  });

  test("pages put together give the whole, whatever their size", async () => {
    for (let i = 0; i < 30; i += 1) {
      const plan = {
        index: "by_a_b",
        range: randomRange(random, ["a", "b"], values),
        order: random.pick(["asc", "desc"]),
        ...(random.below(2) === 0 ? {} : { filter: randomFilter(random, values, 1) }),
      };
      const numItems = 1 + random.below(9);
      const whole: unknown = await own.query(makeFunctionReference<"query">("samples:run"), plan);
      const collected: unknown[] = [];
      let cursor: string | null = null;
      let pages = 0;
      for (;;) {
        const page = (await own.query(makeFunctionReference<"query">("samples:runPage"), { ...plan, numItems, cursor })) as {
          page: unknown[];
          isDone: boolean;
          continueCursor: string;
        };
        collected.push(...page.page);
        pages += 1;
        expect(page.isDone || page.page.length === numItems).toBe(true);
        if (page.isDone) break;
        cursor = page.continueCursor;
        expect(pages).toBeLessThan(ROWS + 2);
      }
      expect(tags(collected)).toEqual(tags(whole));
    }
  });

  test("by_id goes by the ids", async () => {
    const run = makeFunctionReference<"query">("samples:run");
    const ids = async (range: Range, order: string): Promise<string[]> =>
      ((await own.query(run, { index: "by_id", range, order })) as { _id: string }[]).map(({ _id }) => _id);
    const all = await ids([], "asc");
    expect(all).toEqual([...all].sort());
    expect(await ids([], "desc")).toEqual([...all].reverse());
    const [low = "", high = ""] = [all[10], all[20]];
    expect(await ids([{ op: "gt", field: "_id", value: low }, { op: "lte", field: "_id", value: high }], "asc")).toEqual(all.slice(11, 21));
    expect(await ids([{ op: "gte", field: "_id", value: low }, { op: "lt", field: "_id", value: high }], "desc")).toEqual(all.slice(10, 20).reverse());
    expect(await ids([{ op: "eq", field: "_id", value: low }], "asc")).toEqual([low]);
    expect(await ids([{ op: "gt", field: "_id", value: 5 }], "asc")).toEqual(all);
  });

  test("order is the order of keys", async () => {
    const [mine] = await both("query", "samples:run", { index: "by_a", range: [], order: "asc" });
    const found = (mine as { a?: unknown }[]).map((row) => row.a as Value | undefined);
    const bytes = (value: Value | undefined): Value | undefined => ((value as unknown) instanceof ArrayBuffer ? new Uint8Array(value as unknown as ArrayBuffer) : value);
    for (let i = 1; i < found.length; i += 1) expect(compareValues(bytes(found[i - 1]), bytes(found[i]))).toBeLessThanOrEqual(0);
  });
});

describe("scripted calls", () => {
  test("documents through insert, patch, replace, delete", async () => {
    const script = async (kind: Kind, path: string, args: (id: string) => Record<string, unknown>, ids: string[]): Promise<[unknown, unknown]> => {
      const call = makeFunctionReference<typeof kind>(path) as never;
      const run = (side: { query: unknown; mutation: unknown }, id: string): Promise<unknown> =>
        (side[kind as "mutation"] as (call: never, args: object) => Promise<unknown>).call(side, call, args(id)).catch((thrown: unknown) => ({ failed: thrown instanceof Error }));
      return [await run(own, ids[0] as string), await run(reference, ids[1] as string)];
    };
    const [[mine], [theirs]] = (await both("mutation", "samples:add", { rows: [{ a: 1, b: { x: 1 }, tag: "t" }] })) as [string[], string[]];
    const ids = [mine as string, theirs as string];
    const strip = (row: unknown): unknown => (typeof row === "object" && row !== null ? { ...row, _id: 0, _creationTime: 0 } : row);
    for (const args of [
      (id: string) => ({ id, op: "patch", value: { a: 2 } }),
      (id: string) => ({ id, op: "patch", value: { b: { y: 2 } } }),
      (id: string) => ({ id, op: "patch", unset: "tag" }),
      (id: string) => ({ id, op: "replace", value: { a: [1, 2] } }),
      (id: string) => ({ id, op: "patch", value: { tag: 7 } }),
      (id: string) => ({ id, op: "replace", value: { unknown: 7 } }),
      (id: string) => ({ id, op: "delete" }),
      (id: string) => ({ id, op: "delete" }),
      (id: string) => ({ id, op: "patch", value: { a: 3 } }),
      (id: string) => ({ id, op: "replace", value: { a: 3 } }),
    ]) {
      const [left, right] = await script("mutation", "samples:writes", args, ids);
      expect(strip(left)).toEqual(strip(right));
    }
  });

  test.each([
    ["query", "values:echo", { value: { a: [1n, "x"] } }],
    ["query", "values:typed", { int: 1n, bytes: new ArrayBuffer(2), record: { a: 1 }, union: null, list: [] }],
    ["query", "behavior:default", {}],
    ["query", "callers:me", {}],
    ["query", "messages:bodies", { channel: "empty" }],
    ["query", "samples:normalize", { table: "samples", id: "nonsense" }],
    ["action", "messages:sendTwice", { channel: "parity", body: "x" }],
    ["query", "messages:bodies", { channel: "parity" }],
    ["mutation", "samples:nested", { fail: true }],
    ["query", "behavior:notes", {}],
  ] as [Kind, string, Record<string, unknown>][])("%s %s %o", async (kind, path, args) => {
    if (path === "samples:nested") await both("mutation", "samples:clear", {});
    const [mine, theirs] = await both(kind, path, args);
    expect(mine).toEqual(theirs);
  });

  test.each([
    ["query", "values:typed", { int: 1 }],
    ["query", "values:wrongReturn", {}],
    ["mutation", "behavior:fail", { how: "error" }],
    ["mutation", "messages:send", { channel: "x" }],
    ["query", "samples:twoPages", {}],
    ["query", "behavior:timers", {}],
  ] as [Kind, string, Record<string, unknown>][])("both refuse %s %s %o", async (kind, path, args) => {
    const [mine, theirs] = await both(kind, path, args);
    expect(mine).toHaveProperty("failed");
    expect(theirs).toHaveProperty("failed");
  });

  test("data of errors", async () => {
    const [mine, theirs] = (await both("mutation", "behavior:fail", { how: "convex" })) as { failed: { data: unknown } }[];
    expect(mine?.failed.data).toEqual(theirs?.failed.data);
  });
});
