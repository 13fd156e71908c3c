/**
 * Names in the scripts of India in Latin letters (ISO 15919), the inherent vowel written out. The scripts share one
 * plan of letters, so that a letter's place in its block says which it is. The same as `to_latin` of
 * music/scripts.py; tests/convex/folding.test.ts holds both to one table.
 */

const FIRST = 0x0900;
const LAST = 0x0d7f;
const BLOCK = 0x80;

const CONSONANTS = "k kh g gh ṅ c ch j jh ñ ṭ ṭh ḍ ḍh ṇ t th d dh n ṉ p ph b bh m y r ṟ l ḷ ḻ v ś ṣ s h".split(" ");
const FIRST_CONSONANT = 0x15;

/** Each vowel with its letter and its sign; a has no sign. */
const VOWELS: [name: string, letter: number, sign: number | null][] = [
  ["a", 0x05, null],
  ["ā", 0x06, 0x3e],
  ["i", 0x07, 0x3f],
  ["ī", 0x08, 0x40],
  ["u", 0x09, 0x41],
  ["ū", 0x0a, 0x42],
  ["r̥", 0x0b, 0x43],
  ["e", 0x0e, 0x46],
  ["ē", 0x0f, 0x47],
  ["ai", 0x10, 0x48],
  ["o", 0x12, 0x4a],
  ["ō", 0x13, 0x4b],
  ["au", 0x14, 0x4c],
];

const NUKTA = 0x3c;
const VIRAMA = 0x4d;

/** Letters of some blocks only: Urdu sounds, and the flaps that popular spelling writes d. */
const URDU: [place: number, name: string][] = [
  [0x58, "k"],
  [0x59, "kh"],
  [0x5a, "g"],
  [0x5b, "j"],
  [0x5c, "d"],
  [0x5d, "dh"],
  [0x5e, "ph"],
  [0x5f, "y"],
];

/** Candrabindu, anusvara, visarga, the open vowels of English words, tippi. */
const OTHERS: [place: number, name: string][] = [
  [0x01, "n"],
  [0x02, "m"],
  [0x03, "h"],
  [0x0d, "e"],
  [0x11, "o"],
  [0x45, "e"],
  [0x49, "o"],
  [0x4e, "e"],
  [0x70, "n"],
];

const LATIN = new Map<number, string>([
  ...CONSONANTS.map((name, index): [number, string] => [FIRST_CONSONANT + index, name]),
  ...VOWELS.map(([name, letter]): [number, string] => [letter, name]),
  ...VOWELS.flatMap(([name, , sign]): [number, string][] => (sign === null ? [] : [[sign, name]])),
  ...URDU,
  ...OTHERS,
]);
const CONSONANT_PLACES = new Set([...CONSONANTS.map((_, index) => FIRST_CONSONANT + index), ...URDU.map(([place]) => place)]);
const SIGNS = new Set([...VOWELS.map(([, , sign]) => sign), 0x45, 0x49, 0x4e, VIRAMA]);

/** Consonants that have no inherent vowel: the chillus of Malayalam, the khanda ta of Bengali. */
const VOWELLESS = new Map([
  [0x0d7a, "n"],
  [0x0d7b, "n"],
  [0x0d7c, "r"],
  [0x0d7d, "l"],
  [0x0d7e, "l"],
  [0x0d7f, "k"],
  [0x09ce, "t"],
]);

function isIndic(code: number): boolean {
  return FIRST <= code && code <= LAST;
}

export function hasIndic(text: string): boolean {
  return /[\u0900-\u0d7f]/u.test(text);
}

/** Tamil does not tell voiced from voiceless stops. */
export function hasTamil(text: string): boolean {
  return /[\u0b80-\u0bff]/u.test(text);
}

export function toLatin(text: string): string {
  let written = "";
  let pending = false;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code === 0x200c || code === 0x200d) continue;
    const place = (code - FIRST) % BLOCK;
    const alone = isIndic(code) ? VOWELLESS.get(code) : character;
    if (alone !== undefined) {
      written += (pending ? "a" : "") + alone;
      pending = false;
    } else if (place !== NUKTA) {
      if (pending && !SIGNS.has(place)) written += "a";
      written += LATIN.get(place) ?? "";
      pending = CONSONANT_PLACES.has(place);
    }
  }
  return pending ? `${written}a` : written;
}
