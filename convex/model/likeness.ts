/**
 * How alike two spellings are, letter by letter: the same as music/likeness.py, where the costs are explained, and
 * as the whole of a name is weighed in music/spellings.py. tests/convex/folding.test.ts holds both to one table.
 */
import { FIGURES } from "./figures";
import { bareKey, bonesKey, lettersKey, soundKey } from "./folding";

const VOWELS = "aeiou";
const ROWS = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
const FAMILIES = ["kgcq", "td", "pbf", "vwb", "sczj", "nm", "rl", "yi", "rd", "kx"];

const DOUBLED = 0.2;
const BREATHED = 0.25;
const LEFT_OUT = 0.75;
const VOWEL_LEFT_OUT = 0.45;
const EXCHANGED = 0.6;
const SAME_SOUND = 0.45;
const NEIGHBOR = 0.7;
const OTHER = 1.1;
const ENDINGS = ["a", "am"];
const ENDING = 0.2;
/** What a slip in the first letter costs besides. */
const FIRST = 0.2;

interface Key {
  row: number;
  place: number;
}

/** Where letters stand on a keyboard; the lower rows half a key to the right. */
const KEYS = new Map<string, Key>(
  ROWS.flatMap((keys, row) => Array.from(keys, (letter, place): [string, Key] => [letter, { row, place: place + row / 2 }])),
);

function neighbors(one: string, other: string): boolean {
  const [a, b] = [KEYS.get(one), KEYS.get(other)];
  return a !== undefined && b !== undefined && Math.abs(a.row - b.row) <= 1 && Math.abs(a.place - b.place) <= 1;
}

function replaced(one: string, other: string): number {
  if (VOWELS.includes(one) && VOWELS.includes(other)) return SAME_SOUND;
  if (FAMILIES.some((family) => family.includes(one) && family.includes(other))) return SAME_SOUND;
  return neighbors(one, other) ? NEIGHBOR : OTHER;
}

/** What each letter costs where it stands in one spelling only. */
function extras(text: string): number[] {
  const costs = Array.from(text, (letter, place) => {
    const before = text.charAt(place - 1);
    if (letter === before) return DOUBLED;
    if (letter === "h" && before !== "" && !VOWELS.includes(before)) return BREATHED;
    return (VOWELS.includes(letter) ? VOWEL_LEFT_OUT : LEFT_OUT) + (before === "" ? FIRST : 0);
  });
  const last = costs.at(-1);
  if (last !== undefined && ENDINGS.some((ending) => text.endsWith(ending))) costs[costs.length - 1] = Math.min(last, ENDING);
  return costs;
}

interface Costs {
  leftOut: number[];
  putIn: number[];
  replace: (row: number, place: number) => number;
  exchange: number;
}

/** The least cost of turning one text into the other; two letters side by side may change places. */
function distance(one: string, other: string, { leftOut, putIn, replace, exchange }: Costs): number {
  let earlier: number[] = [];
  let above = [0];
  for (const [place, cost] of putIn.entries()) above.push((above[place] ?? 0) + cost);
  for (let row = 0; row < one.length; row += 1) {
    const out = leftOut[row] ?? 0;
    const here = [(above[0] ?? 0) + out];
    for (let place = 0; place < other.length; place += 1) {
      let best = (above[place] ?? 0) + (one[row] === other[place] ? 0 : replace(row, place));
      if (row > 0 && place > 0 && one[row] !== other[place] && one[row] === other[place - 1] && other[place] === one[row - 1]) {
        best = Math.min(best, (earlier[place - 1] ?? 0) + exchange);
      }
      here.push(Math.min(best, (above[place + 1] ?? 0) + out, (here[place] ?? 0) + (putIn[place] ?? 0)));
    }
    [earlier, above] = [above, here];
  }
  return above[other.length] ?? 0;
}

/** From 0 (nothing in common) to 1 (the same letters), for two lower-case Latin keys. */
export function likeness(one: string, other: string): number {
  if (one === other) return 1;
  if (one === "" || other === "") return 0;
  const cost = distance(one, other, {
    leftOut: extras(one),
    putIn: extras(other),
    replace: (row, place) => replaced(one.charAt(row), other.charAt(place)) + (row === 0 && place === 0 ? FIRST : 0),
    exchange: EXCHANGED,
  });
  return Math.max(0, 1 - cost / Math.max(one.length, other.length));
}

/** Optimal string alignment as a share of the longer text: 1 for the same text. */
export function alignment(one: string, other: string): number {
  const longer = Math.max(one.length, other.length);
  if (longer === 0) return 1;
  const ones = (text: string): number[] => Array.from({ length: text.length }, () => 1);
  return 1 - distance(one, other, { leftOut: ones(one), putIn: ones(other), replace: () => 1, exchange: 1 }) / longer;
}

/** A spelling with all that it is compared by. */
export interface Spelling {
  /** Empty for another script than Latin. */
  letters: string;
  sound: string;
  bare: string;
  bones: string;
}

export function spellingOf(name: string): Spelling {
  const sound = soundKey(name);
  return { letters: lettersKey(name), sound, bare: bareKey(sound), bones: bonesKey(sound) };
}

/** How alike two spellings sound. */
export function heard(one: Spelling, other: Spelling): number {
  return 0.5 * alignment(one.sound, other.sound) + 0.25 * alignment(one.bare, other.bare) + 0.25 * alignment(one.bones, other.bones);
}

/** How alike what was typed and a name are as a whole. */
export function weighed(typed: Spelling, other: Spelling): number {
  const sounds = heard(typed, other);
  if (typed.letters === "") return sounds;
  if (other.letters === "") return sounds - FIGURES.anotherScript;
  return (1 - FIGURES.heard) * likeness(typed.letters, other.letters) + FIGURES.heard * sounds;
}
