import { v } from "convex/values";
import { describe, expect, test } from "vitest";

import { newId } from "../../local-convex/ids.ts";
import { type Validator, checkValue, displayValidator } from "../../local-convex/validators.ts";
import type { Value } from "../../local-convex/values.ts";

const tables = new Map([[10_001, "users"], [10_002, "messages"], [1, "_storage"]]);
const nameOf = (number: number): string | undefined => tables.get(number);

// What functions and schemas export; the package does not put it in its types.
function jsonOf(validator: unknown): Validator {
  return (validator as { json: Validator }).json;
}

function check(validator: unknown, value: Value): string | null {
  return checkValue(jsonOf(validator), value, nameOf);
}

describe("validators", () => {
  const cases: [unknown, Value, Value][] = [
    [v.string(), "text", 1],
    [v.number(), 1.5, 1n],
    [v.int64(), 3n, 3],
    [v.boolean(), false, 0],
    [v.null(), null, "null"],
    [v.bytes(), new Uint8Array(1), [1]],
    [v.array(v.string()), ["a"], ["a", 1]],
    [v.literal("on"), "on", "off"],
    [v.literal(3n), 3n, 3],
    [v.union(v.literal(1), v.string()), "x", 2],
    [v.record(v.string(), v.number()), { a: 1 }, { a: "x" }],
    [v.object({ a: v.string(), b: v.optional(v.number()) }), { a: "x" }, { a: "x", b: "y" }],
    [v.object({}), {}, { extra: 1 }],
    [v.id("users"), newId(10_001), newId(10_002)],
    [v.id("users"), newId(10_001), "users:1"],
  ];

  test.each(cases.map(([validator, good, bad]) => [displayValidator(jsonOf(validator)), validator, good, bad] as const))("%s", (_, validator, good, bad) => {
    expect(check(validator, good)).toBeNull();
    expect(check(validator, bad)).toEqual(expect.any(String));
  });

  test("any takes everything", () => {
    for (const value of [null, 1n, "x", [], {}, new Uint8Array()] as Value[]) expect(check(v.any(), value)).toBeNull();
  });

  test("says in Convex's words what is wrong", () => {
    const validator = v.object({ name: v.string(), tags: v.optional(v.array(v.string())) });
    expect(check(validator, { tags: [] })).toBe(
      'Object is missing the required field `name`. Consider wrapping the field validator in `v.optional(...)` if this is expected.\n\nObject: {tags: []}\nValidator: v.object({name: v.string(), tags: v.optional(v.array(v.string()))})',
    );
    expect(check(validator, { name: "x", tags: [1] })).toBe("Value does not match validator.\nPath: .tags[0]\nValue: 1.0\nValidator: v.string()");
    expect(check(validator, { name: "x", age: 1 })).toContain("Object contains extra field `age` that is not in the validator.");
    expect(check(v.id("users"), newId(10_002))).toContain("from table `messages`, which does not match the table name in validator `v.id(\"users\")`");
    expect(check(v.id("users"), newId(1))).toContain("from a system table");
    expect(check(v.literal("on"), "off")).toBe('`"off"` does not match literal validator `v.literal("on")`.');
  });

  test("are shown as they are written", () => {
    const validator = v.record(v.id("users"), v.union(v.literal(1), v.int64(), v.bytes(), v.null(), v.boolean(), v.any()));
    expect(displayValidator(jsonOf(validator))).toBe(
      'v.record(v.id("users"), v.union(v.literal(1.0), v.int64(), v.bytes(), v.null(), v.boolean(), v.any()))',
    );
  });
});
