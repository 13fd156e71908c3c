import { convexToJson, jsonToConvex, getConvexSize } from "convex/values";
import { describe, expect, test } from "vitest";

import { decodeId, encodeId, newId } from "../../local-convex/ids.ts";
import { type Value, decode, decodeFields, encode, encodeClean, fieldAt, sizeOf } from "../../local-convex/values.ts";
import { Random, randomValue } from "./random_values.ts";

describe("values", () => {
  test("random values survive the way to JSON and back, as the convex package writes them", () => {
    const random = new Random(21);
    for (let i = 0; i < 2_000; i += 1) {
      const value = randomValue(random, 3);
      const json = JSON.parse(JSON.stringify(encode(value))) as never;
      expect(encode(decode(json))).toEqual(encode(value));
      expect(convexToJson(jsonToConvex(json))).toEqual(JSON.parse(JSON.stringify(encode(value))));
      expect(sizeOf(value)).toBe(getConvexSize(jsonToConvex(json)));
    }
  });

  test.each([
    ["Received 3 bytes, expected 8 for $integer", { $integer: "AAAA" }],
    ["Malformed $integer", { $integer: 3 }],
    ["Float 1 should be encoded as a number", { $float: "AAAAAAAA8D8=" }],
    ["Malformed $bytes", { $bytes: "*" }],
    ["starts with '$'", { $other: 1 }],
    ["non-control ASCII", { naïve: 1 }],
    ["exceeds maximum field name length", { ["x".repeat(1025)]: 1 }],
    ["lone surrogate", "\ud800"],
    ["Array length is too long (8193 > maximum length 8192)", Array.from({ length: 8193 }, () => 0)],
    ["too many fields (1025 > maximum number 1024)", Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [`f${String(i)}`, 0]))],
    ["too nested", JSON.parse(`${"[".repeat(65)}${"]".repeat(65)}`)],
  ] as [string, unknown][])("refuses: %s", (message, json) => {
    expect(() => decode(json)).toThrow(message);
  });

  test("takes what is exactly at the limits", () => {
    expect(decode(JSON.parse(`${"[".repeat(64)}${"]".repeat(64)}`))).toHaveLength(1);
    expect(decode(Array.from({ length: 8192 }, () => 0))).toHaveLength(8192);
    expect(Object.keys(decodeFields({ ["x".repeat(1024)]: 1 }))).toHaveLength(1);
  });

  test("__proto__ is a field like any other", () => {
    const fields = decodeFields(JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(Object.keys(fields)).toEqual(["__proto__"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(JSON.stringify(encode(fields))).toBe('{"__proto__":{"polluted":true}}');
  });

  test("the readable format writes integers and bytes as strings", () => {
    const value: Value = { int: 12n, bytes: new Uint8Array([1, 2, 3]), nan: Number.NaN, list: [Number.NEGATIVE_INFINITY] };
    expect({ ...(encodeClean(value) as object) }).toEqual({ int: "12", bytes: "AQID", nan: "NaN", list: ["-Infinity"] });
  });

  test("paths lead into objects only", () => {
    const fields = decodeFields({ a: { b: { c: 1 } }, list: [{ b: 1 }] });
    expect(fieldAt(fields, "a.b.c")).toBe(1);
    expect(fieldAt(fields, "a.x")).toBeUndefined();
    expect(fieldAt(fields, "list.b")).toBeUndefined();
    expect(fieldAt(fields, "toString")).toBeUndefined();
  });
});

describe("ids", () => {
  test("are laid out as Convex lays them out", () => {
    const inner = Buffer.alloc(16, 251);
    for (let i = 1; i < 16; i += 1) inner[i] = ((inner[i - 1] as number) * 251) & 0xff;
    // The example of convex-backend's own test of stability.
    expect(encodeId(1017, inner)).toBe("z43zp6c3e75gkmz1kfwj6mbbx5sw281h");
  });

  test("name their table", () => {
    for (const table of [1, 127, 128, 10_001, 2 ** 32 - 1]) expect(decodeId(newId(table))).toMatchObject({ table });
  });

  test.each(["", "abc", "u".repeat(32), "z43zp6c3e75gkmz1kfwj6mbbx5sw281g", "Z43ZP6C3E75GKMZ1KFWJ6MBBX5SW281H", "sssswsgggggggggsgcsssfafffsffks"])(
    "refuse %j",
    (id) => {
      expect(decodeId(id)).toHaveProperty("error");
    },
  );
});
