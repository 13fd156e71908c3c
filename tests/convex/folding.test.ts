/** Names are folded and compared in TypeScript as the bot does it in Python; folding.py makes the table. */

import { expect, test } from "vitest";

import { FIGURES, KIND_WORDS, NO_NAMES } from "../../convex/model/figures.ts";
import { bareKey, pairsOf, plainKey, sortedKey, soundKey, tamilKey } from "../../convex/model/folding.ts";
import { alignment, likeness, spellingOf, weighed } from "../../convex/model/likeness.ts";

type Row = { text: string; plain: string; sound: string; bare: string; tamil: string; sorted: string; likeness: number; weighed: number; alignment: number };

type Table = { judgment: { figures: Record<string, number>; kindWords: string[]; noNames: string[] }; rows: Row[] };

const [{ judgment, rows: table } = { judgment: null, rows: [] }] = Object.values(import.meta.glob<Table>("./folding.json", { import: "default", eager: true }));

test("the figures and words by which a name is judged are the same", () => {
  expect({ figures: FIGURES, kindWords: KIND_WORDS, noNames: NO_NAMES }).toEqual(judgment);
});

test("every key of every text is the same", () => {
  expect(table.length).toBeGreaterThan(300);
  const ours = table.map(({ text }) => {
    const sound = soundKey(text);
    return { text, plain: plainKey(text), sound, bare: bareKey(sound), tamil: tamilKey(sound), sorted: sortedKey(text) };
  });
  expect(ours).toEqual(table.map(({ likeness: _, weighed: __, alignment: ___, ...keys }) => keys));
});

test("every two texts are as alike", () => {
  for (const [place, row] of table.entries()) {
    const before = table[place - 1] ?? { text: "", plain: "", sound: "" };
    expect({ row, likeness: likeness(before.plain, row.plain) }).toEqual({ row, likeness: expect.closeTo(row.likeness, 8) as number });
    expect({ row, weighed: weighed(spellingOf(before.text), spellingOf(row.text)) }).toEqual({ row, weighed: expect.closeTo(row.weighed, 8) as number });
    expect({ row, alignment: alignment(before.sound, row.sound) }).toEqual({ row, alignment: expect.closeTo(row.alignment, 8) as number });
  }
});

test("a sound is cut into pairs with its beginning and its end, each once", () => {
  expect(pairsOf("yaman")).toEqual(["0y", "ya", "am", "ma", "an", "n0"]);
  expect(pairsOf("kakaka")).toEqual(["0k", "ka", "ak", "a0"]);
  expect(pairsOf("")).toEqual([]);
});
