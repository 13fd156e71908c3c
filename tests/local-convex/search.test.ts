import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Database } from "../../local-convex/database.ts";
import { type SearchDefinition, couldMatch, readSearchQuery, removeSearchEntry, runSearch, searchEntry, wordsOf, writeSearchEntry } from "../../local-convex/search.ts";
import { decodeFields } from "../../local-convex/values.ts";
import { newFolder, removeFolder } from "./deployment.ts";

const definition: SearchDefinition = { kind: "search", name: "search_body", searchField: "body", filterFields: ["channel"] };
const INDEX = 1;

describe("full text search", () => {
  let folder: string;
  let database: Database;

  beforeEach(() => {
    folder = newFolder();
    database = new Database(folder);
  });
  afterEach(() => {
    database.close();
    removeFolder(folder);
  });

  function add(doc: number, body: string, channel = "a"): void {
    const entry = searchEntry(definition, decodeFields({ body, channel }));
    if (entry !== null) writeSearchEntry(database.writer, INDEX, doc, entry);
  }

  function find(text: string, channel?: string): number[] {
    const filters = [{ type: "Search" as const, fieldPath: "body", value: text }, ...(channel === undefined ? [] : [{ type: "Eq" as const, fieldPath: "channel", value: channel }])];
    return runSearch(database.writer, INDEX, readSearchQuery("t.search_body", definition, filters)).map(({ doc }) => doc);
  }

  test("cuts words at everything that is no letter or digit", () => {
    expect(wordsOf("Rāga Yaman's 3rd—pakaḍ, ராகம்!")).toEqual(["rāga", "yaman", "s", "3rd", "pakaḍ", "ர", "கம"]);
    expect(wordsOf(`${"x".repeat(33)} ok`)).toEqual(["ok"]);
  });

  test("finds any of the words, best first", () => {
    add(1, "evening raga");
    add(2, "evening raga yaman");
    add(3, "morning raga");
    add(4, "nothing of it");
    expect(find("raga yaman ")[0]).toBe(2);
    expect(find("raga yaman").sort()).toEqual([1, 2, 3]);
    expect(find("absent")).toEqual([]);
    expect(find("")).toEqual([]);
  });

  test("only the last word may be a beginning, and whole words go first", () => {
    add(1, "yamani");
    add(2, "yaman");
    add(3, "other");
    expect(find("yam").sort()).toEqual([1, 2]);
    expect(find("yaman")).toEqual([2, 1]);
    expect(find("yam other")).toEqual([3]);
  });

  test("rare words weigh more, long texts less", () => {
    for (let doc = 10; doc < 30; doc += 1) add(doc, "common words here");
    add(1, "rare");
    add(2, "common");
    expect(find("common rare ")[0]).toBe(1);
    add(3, `common ${"filler ".repeat(50)}`);
    const found = find("common");
    expect(found.indexOf(2)).toBeLessThan(found.indexOf(3));
  });

  test("filters by other fields", () => {
    add(1, "raga", "a");
    add(2, "raga", "b");
    expect(find("raga", "b")).toEqual([2]);
    expect(find("raga", "c")).toEqual([]);
  });

  test("forgets what was removed", () => {
    add(1, "raga raga");
    const entry = searchEntry(definition, decodeFields({ body: "raga raga", channel: "a" }));
    if (entry !== null) removeSearchEntry(database.writer, INDEX, 1, entry);
    expect(find("raga")).toEqual([]);
  });

  test("tells which writes could change a result", () => {
    const query = readSearchQuery("t.search_body", definition, [
      { type: "Search", fieldPath: "body", value: "evening ya" },
      { type: "Eq", fieldPath: "channel", value: "a" },
    ]);
    const concerns = (body: string, channel: string): boolean => {
      const entry = searchEntry(definition, decodeFields({ body, channel }));
      return entry !== null && couldMatch(query, entry);
    };
    expect(concerns("yaman", "a")).toBe(true);
    expect(concerns("good evening", "a")).toBe(true);
    expect(concerns("evenings", "a")).toBe(false);
    expect(concerns("yaman", "b")).toBe(false);
  });

  test("refuses fields that the index does not cover", () => {
    const search = { type: "Search" as const, fieldPath: "body", value: "x" };
    expect(() => readSearchQuery("t.i", definition, [])).toThrow("exactly one search filter");
    expect(() => readSearchQuery("t.i", definition, [{ ...search, fieldPath: "title" }])).toThrow("its search field is");
    expect(() => readSearchQuery("t.i", definition, [search, { type: "Eq", fieldPath: "body", value: "x" }])).toThrow("filterFields");
  });
});
