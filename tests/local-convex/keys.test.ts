import { compareValues as referenceOrder } from "convex/values";
import { describe, expect, test } from "vitest";

import { afterPrefix, compareValues, encodeKey, successor } from "../../local-convex/keys.ts";
import type { Value } from "../../local-convex/values.ts";
import { Random, randomValue } from "./random_values.ts";

/** The reference knows bytes as ArrayBuffer. */
function forReference(value: Value | undefined): never {
  const convert = (part: Value | undefined): unknown => {
    if (part instanceof Uint8Array) return part.slice().buffer;
    if (Array.isArray(part)) return part.map(convert);
    if (typeof part === "object" && part !== null) return Object.fromEntries(Object.entries(part).map(([name, field]) => [name, convert(field)]));
    return part;
  };
  return convert(value) as never;
}

describe("order of keys", () => {
  test("types come in Convex's order", () => {
    const inOrder: (Value | undefined)[] = [undefined, null, 2n ** 60n, -1e9, false, true, "", new Uint8Array(), [], {}];
    for (let i = 1; i < inOrder.length; i += 1) expect(compareValues(inOrder[i - 1], inOrder[i])).toBeLessThan(0);
  });

  test("numbers: negative zero before zero, NaN behind infinity", () => {
    const inOrder = [Number.NEGATIVE_INFINITY, -1e300, -1, -5e-324, -0, 0, 5e-324, 1, 1e300, Number.POSITIVE_INFINITY, Number.NaN];
    for (let i = 1; i < inOrder.length; i += 1) expect(compareValues(inOrder[i - 1], inOrder[i])).toBeLessThan(0);
  });

  test("random values compare as in the convex package", () => {
    const random = new Random(11);
    for (let i = 0; i < 4_000; i += 1) {
      const [left, right] = [randomValue(random), randomValue(random)];
      expect({ left, right, order: Math.sign(compareValues(left, right)) }).toEqual({
        left,
        right,
        order: Math.sign(referenceOrder(forReference(left), forReference(right))),
      });
    }
  });

  test("several fields compare one after the other", () => {
    const random = new Random(12);
    for (let i = 0; i < 2_000; i += 1) {
      const left = [randomValue(random, 1), randomValue(random, 1)];
      const right = [randomValue(random, 1), randomValue(random, 1)];
      const expected = compareValues(left[0], right[0]) || compareValues(left[1], right[1]);
      expect(Math.sign(Buffer.compare(encodeKey(left), encodeKey(right)))).toBe(Math.sign(expected));
    }
  });

  test("no key is a prefix of another value's key, and afterPrefix closes exactly the keys of one value", () => {
    const random = new Random(13);
    for (let i = 0; i < 2_000; i += 1) {
      const [left, right, more] = [randomValue(random), randomValue(random), randomValue(random)];
      const [a, b] = [encodeKey([left]), encodeKey([right, more])];
      const isWithin = Buffer.compare(b, a) >= 0 && Buffer.compare(b, afterPrefix(a)) < 0;
      expect(isWithin).toBe(compareValues(left, right) === 0);
    }
  });

  test("nothing lies between a key and its successor", () => {
    const key = encodeKey(["a"]);
    expect(Buffer.compare(key, successor(key))).toBeLessThan(0);
    expect(Buffer.compare(successor(key), Buffer.concat([key, Buffer.from([0, 0])]))).toBeLessThan(0);
  });
});
