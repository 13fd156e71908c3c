/**
 * Spellings made comparable, by the same keys as the bot's own lookup: music/folding.py and `sorted_key` of
 * music/spellings.py say what each is for. tests/convex/folding.test.ts holds both to one table.
 */
import { hasIndic, toLatin } from "./scripts";

/**
 * Which rules these are. Raise it with every change of the rules, or of the rows that are made by them (names.ts,
 * facets.ts): the next seeding then makes the rows anew.
 */
export const FOLDING = 1;

/** So many characters of what a person typed are read. */
export const NAME_LENGTH_MAX = 80;

const RAGA = "ra{1,2}g(?:a{1,2}m?|amu|alu|u)?";
const PREFIX = new RegExp(`^(?:${RAGA}|राग|రాగం?|ರಾಗ|രാഗം|ராகம்)[\\s:._-]+(?=\\S)`, "u");
const SUFFIX = new RegExp(`(?<=\\S)[\\s_-]+${RAGA}$`, "u");
const FLAP = /r\u0323h?(?=[aeiouāīūēō])/gu;
const VOCALIC = /r[\u0323\u0325]/gu;
/** Harvard-Kyoto tells itself by a capital within a word. */
const HARVARD_KYOTO = /[a-z][AIUMHGJTDNSRL]/u;
const NASALS = /G(?=[kg])|J(?=[cj])/gu;
/** Latin diacritics only: the signs of Indian scripts are letters in their own right and stay. */
const MARKS = /[\u0300-\u036f]/gu;
const NOT_LATIN = /[^a-z0-9]+/gu;
const NOT_A_KEY = /[^\p{L}\p{N}\u0900-\u0d7f]+/gu;
const ASCII = /^\p{ASCII}*$/u;
const WORD = /[\p{L}\p{N}_\u0900-\u0d7f]+/gu;
const DOUBLED = /(.)\1+/gu;
const VOWELS = /[aeiou]/gu;
const PARTICLES = new Set(["ki", "ka", "ke", "kee", "the", "of", "e"]);

const RULES: [pattern: RegExp, replacement: string][] = [
  [/x/gu, "ks"],
  [/q/gu, "k"],
  [/[ao]w(?=[^aeiouyw])/gu, "o"],
  [/w/gu, "v"],
  [/z/gu, "j"],
  [/f/gu, "p"],
  [/ck/gu, "k"],
  [/[ao]u|oa(?=[^aeiouy])/gu, "o"],
  [/oo|uu/gu, "u"],
  [/ee|ii|ie(?=[^aeiouy]|$)/gu, "i"],
  [/aa+/gu, "a"],
  [/(?<=...)ai$/gu, "a"],
  [/a[iey](?=[^aeiouy]|$)|ai(?=y)|ei/gu, "e"],
  [/[iy]+(?=[aeou])/gu, "y"],
  [/(?<=[^aeiouy])y(?=[^aeiouy]|$)/gu, "i"],
  [/(?<=[bcdgjklmnprstvy])h+|(?<=[aeiou])h$/gu, ""],
  [/(?:dn(?=y)|[jg]n|gy)y?/gu, "gn"],
  [/m(?=[^aeiouymh])/gu, "n"],
  [DOUBLED, "$1"],
  [/(?<=[bdgkmpst])r[iu](?=[^aeiouy])/gu, "r"],
  [/^r(?=[^aeiouy])/gu, "ri"],
  [/a(?:m|mu)?$/gu, ""],
];
const BARE: Record<string, string> = { b: "v", e: "i", o: "u", y: "i" };
const VOICELESS: Record<string, string> = { g: "k", h: "k", j: "c", s: "c", d: "t", b: "p" };

function head(text: string, length: number): string {
  return text.length <= length ? text : Array.from(text).slice(0, length).join("");
}

/** Lower case that makes no difference between the forms of one letter either. */
export function caseless(text: string): string {
  return text.toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ");
}

function withoutRaga(name: string): string {
  return name.replace(PREFIX, "").replace(SUFFIX, "");
}

function translated(text: string, letters: Record<string, string>): string {
  return Array.from(text, (letter) => letters[letter] ?? letter).join("");
}

/** Lower-case words without diacritics and punctuation, one blank between them. */
export function foldWords(text: string): string {
  return text
    .normalize("NFKD")
    .replace(MARKS, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim();
}

/** Case, Latin marks, blanks, punctuation and the word raga set aside; other scripts as they are. */
export function plainKey(text: string): string {
  const clean = caseless(head(text, 2 * NAME_LENGTH_MAX).trim().normalize("NFKC"));
  if (ASCII.test(clean)) return head(withoutRaga(clean).replace(NOT_LATIN, ""), NAME_LENGTH_MAX);
  const bare = withoutRaga(clean.normalize("NFKD").replace(MARKS, "").replaceAll("\u093c", ""));
  return head(bare.replace(/[\u200c\u200d]/gu, "").replace(NOT_A_KEY, ""), NAME_LENGTH_MAX);
}

/** The plain key of a name in Latin letters; empty for another script. */
export function lettersKey(text: string): string {
  const plain = plainKey(text);
  return ASCII.test(plain) ? plain : "";
}

/** How a name sounds, whatever script or scheme it is written in. */
export function soundKey(text: string): string {
  let clean = head(text, NAME_LENGTH_MAX).trim();
  if (!ASCII.test(clean)) {
    clean = clean.normalize("NFKC");
    clean = (hasIndic(clean) ? toLatin(clean) : clean).normalize("NFD");
  }
  if (HARVARD_KYOTO.test(clean)) clean = clean.replaceAll("z", "s").replace(NASALS, "n");
  clean = caseless(clean).replaceAll("r^i", "ri");
  if (!ASCII.test(clean)) clean = clean.replace(FLAP, "d").replace(VOCALIC, "ri").replace(MARKS, "");
  const letters = withoutRaga(clean).replace(NOT_LATIN, "");
  return RULES.reduce((key, [pattern, replacement]) => key.replace(pattern, replacement), letters);
}

/** A sound key without its a's (but a leading one), b and v, e and i, o and u alike. */
export function bareKey(sound: string): string {
  const bare = sound.slice(0, 1) + sound.slice(1).replaceAll("a", "");
  return translated(bare.replace(DOUBLED, "$1"), BARE);
}

/** A sound key with voiced and voiceless stops, and what Tamil writes with them, alike. */
export function tamilKey(sound: string): string {
  return translated(sound, VOICELESS).replace(DOUBLED, "$1");
}

/** A sound key's consonants; its first letter whatever it is. */
export function bonesKey(sound: string): string {
  return (sound.slice(0, 1) + sound.slice(1).replace(VOWELS, "")).replaceAll("b", "v");
}

/** The sound keys of a name's words in the order of the alphabet, without particles; "" for one word. */
export function sortedKey(name: string): string {
  const words = (caseless(name).match(WORD) ?? []).filter((word) => !PARTICLES.has(word)).map(soundKey);
  return words.length > 1 ? words.filter((word) => word !== "").sort().join(" ") : "";
}

/** The beginning, the end, and every two letters of a sound key: words by which a search index finds the likes of it. */
export function pairsOf(sound: string): string[] {
  if (sound === "") return [];
  const framed = `0${sound}0`;
  return [...new Set(Array.from(framed.slice(1), (letter, place) => `${framed.charAt(place)}${letter}`))];
}
