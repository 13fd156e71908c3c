/** Ragas found by their names: the same answers as the bot's own lookup (music/lookup.py, music/spellings.py). */
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { BEGINNING_MAX, MELAKARTAS, ragasWith, UNFAMILIAR } from "./facets";
import { FIGURES, KIND_WORDS, NO_NAMES } from "./figures";
import { caseless, lettersKey, NAME_LENGTH_MAX, pairsOf, plainKey, sortedKey, soundKey, tamilKey } from "./folding";
import { alignment, likeness, type Spelling, spellingOf, weighed } from "./likeness";
import { hasTamil } from "./scripts";

type Raga = Doc<"ragas">;
type Name = Doc<"ragaNames">;
type Named = Pick<Raga, "name" | "tradition" | "aliases" | "scripts">;
type Tradition = Raga["tradition"];

/** A raga has no more spellings than these. */
export const NAMES_MAX = 60;

/** One key belongs to no more spellings than these: two traditions, and a few that share an alias. */
const NAMESAKES_MAX = 20;
const BEGINNINGS_MAX = 64;
/** So many spellings are compared with a misspelt one, and so many of the ragas that bear them are read. */
const CANDIDATES_MAX = 64;
const WEIGHED_MAX = 32;
/** Convex looks at no more words of a search. */
const SEARCH_TERMS_MAX = 16;

const A_RANK = 0.005;
const OTHER_ORDER = 0.02;

const WORDS_OF_THE_ART = new Set(NO_NAMES);
const KINDS = new Set(KIND_WORDS);
const WORD = /[\p{L}\p{N}_\u0900-\u0d7f]+/gu;
const MELAKARTA = /^(?:mela(?:karta)?[\s.#-]*)?(\d{1,2})$/u;
const TRADITION_WORDS = new Map<string, Tradition>([
  ...["carnatic", "karnatic", "karnatak", "karnataka", "carnatik", "southindian"].map((word): [string, Tradition] => [word, "Carnatic"]),
  ...["hindustani", "hindusthani", "northindian"].map((word): [string, Tradition] => [word, "Hindustani"]),
]);

/**
 * What a name was understood as. `exact`: the name or one of its spellings; `near`: misspelt, but surely this one;
 * `unsure`: any of these may have been meant; `none`: nothing like it. Best first.
 */
export interface Match {
  kind: "exact" | "near" | "unsure" | "none";
  ragas: Raga[];
}

const NOTHING: Match = { kind: "none", ragas: [] };

function namesOf(raga: Named): string[] {
  return [raga.name, ...(raga.aliases ?? []), ...(raga.scripts ?? []).map(({ name }) => name)];
}

/** How a raga bears the name at this place. 0: its own; 1: an alias; 2: in another script. */
function rankAt(raga: Named, place: number): number {
  if (place === 0) return 0;
  return place <= (raga.aliases ?? []).length ? 1 : 2;
}

/** The rows of a raga's spellings. Several that sound the same are found by one of them. */
function rowsOf(raga: Named): Omit<Name, "_id" | "_creationTime" | "ragaId">[] {
  const rows = new Map<string, Omit<Name, "_id" | "_creationTime" | "ragaId">>();
  const sounds = new Set<string>();
  for (const [place, name] of namesOf(raga).entries()) {
    const folded = plainKey(name);
    if (folded === "" || rows.has(folded)) continue;
    const sound = soundKey(name);
    const isNew = !sounds.has(sound);
    sounds.add(sound);
    rows.set(folded, {
      folded,
      own: place === 0,
      tradition: raga.tradition,
      sound,
      tamil: tamilKey(sound),
      pairs: isNew ? pairsOf(sound).join(" ") : "",
    });
  }
  return [...rows.values()];
}

/** Brings the rows of a raga's spellings in step with it. */
export async function writeNames(ctx: MutationCtx, ragaId: Id<"ragas">, raga: Named): Promise<void> {
  const wanted = new Map(rowsOf(raga).map((row) => [row.folded, row]));
  const kept = await ctx.db
    .query("ragaNames")
    .withIndex("by_raga", (q) => q.eq("ragaId", ragaId))
    .take(NAMES_MAX);
  for (const { _id, _creationTime: _, ragaId: __, ...row } of kept) {
    const same = wanted.get(row.folded);
    const isSame = same !== undefined && (Object.keys(same) as (keyof typeof same)[]).every((field) => row[field] === same[field]);
    if (isSame) wanted.delete(row.folded);
    else await ctx.db.delete("ragaNames", _id);
  }
  for (const row of wanted.values()) await ctx.db.insert("ragaNames", { ragaId, ...row });
}

type Key = "folded" | "sound" | "tamil";

/** Spellings that have this key. */
function rowsBy(ctx: QueryCtx, key: Key, value: string): Promise<Name[]> {
  const names = ctx.db.query("ragaNames");
  const found = {
    // Descending: a raga's own name comes before another's alias.
    folded: () => names.withIndex("by_folded", (q) => q.eq("folded", value)).order("desc"),
    sound: () => names.withIndex("by_sound", (q) => q.eq("sound", value)).order("desc"),
    tamil: () => names.withIndex("by_tamil", (q) => q.eq("tamil", value)).order("desc"),
  };
  return found[key]().take(NAMESAKES_MAX);
}

/** The ragas of some rows, each once, in their order. */
async function bearers(ctx: QueryCtx, rows: Name[], tradition: Tradition | undefined): Promise<Raga[]> {
  const ids = [...new Set(rows.map(({ ragaId }) => ragaId))];
  const ragas = await Promise.all(ids.map((id) => ctx.db.get("ragas", id)));
  return ragas.filter((raga) => raga !== null).filter((raga) => tradition === undefined || raga.tradition === tradition);
}

function place(raga: Raga): number {
  return raga.familiarity ?? UNFAMILIAR;
}

function compared(one: readonly number[], other: readonly number[]): number {
  const differing = one.findIndex((value, index) => value !== other[index]);
  return differing < 0 ? 0 : (one[differing] ?? 0) - (other[differing] ?? 0);
}

/** In the order of these figures, the smaller ones first. */
function ordered(ragas: Raga[], figures: (raga: Raga) => readonly number[]): Raga[] {
  return ragas
    .map((raga): [Raga, readonly number[]] => [raga, figures(raga)])
    .sort(([, one], [, other]) => compared(one, other))
    .map(([raga]) => raga);
}

/** Ragas that share a key: own names first, then the likest spelling, then the best known. */
function namesakes(ragas: Raga[], text: string, key: (name: string) => string): Raga[] {
  const typed = plainKey(text);
  const wanted = key(text);
  return ordered(ragas, (raga) => {
    const at = namesOf(raga).findIndex((name) => key(name) === wanted);
    return [at < 0 ? 2 : rankAt(raga, at), -alignment(typed, plainKey(raga.name)), place(raga), raga._creationTime];
  });
}

async function sharing(ctx: QueryCtx, key: Key, text: string, tradition: Tradition | undefined): Promise<Raga[]> {
  const keys = {
    folded: plainKey,
    sound: soundKey,
    tamil: (name: string) => tamilKey(soundKey(name)),
  };
  const value = keys[key](text);
  if (value === "") return [];
  return namesakes(await bearers(ctx, await rowsBy(ctx, key, value), tradition), text, keys[key]);
}

/** What raga a person means. */
export async function findByName(ctx: QueryCtx, text: string, tradition: Tradition | undefined): Promise<Match> {
  if (text.length > NAME_LENGTH_MAX) return NOTHING;
  const sound = soundKey(text);
  const named = await sharing(ctx, "folded", text, tradition);
  const alike = (await sharing(ctx, "sound", text, tradition)).filter((raga) => named.every(({ _id }) => _id !== raga._id));
  if (named.length > 0) return { kind: "exact", ragas: [...named, ...alike] };
  if (sound === "" || WORDS_OF_THE_ART.has(sound)) return NOTHING;
  const typed = spellingOf(text);
  const candidates = await candidatesFor(ctx, typed, tradition);
  if (alike.length === 0) {
    return (await roundabout(ctx, text, candidates, tradition)) ?? (await misspelt(ctx, text, typed, candidates, tradition));
  }
  if (asSpelt(alike, typed) >= FIGURES.wellSpelt) return { kind: "exact", ragas: alike };
  // Perhaps a slip in a name that sounds otherwise.
  const nearer = await misspelt(ctx, text, typed, candidates, tradition);
  const [first] = nearer.ragas;
  const isAlike = first === undefined || (alike.some(({ _id }) => _id === first._id) && sound.length > FIGURES.short);
  return isAlike ? { kind: "exact", ragas: alike } : nearer;
}

/** How like its letters are to those of the likest name that sounds the same, 1 for another script. */
function asSpelt(alike: Raga[], typed: Spelling): number {
  if (typed.letters === "") return 1;
  const sounding = alike.flatMap(namesOf).filter((name) => lettersKey(name) !== "" && soundKey(name) === typed.sound);
  return sounding.length === 0 ? 1 : Math.max(...sounding.map((name) => likeness(typed.letters, lettersKey(name))));
}

/** Names given as a melakarta's number, with their words in another order or apart, or with their tradition. */
async function roundabout(ctx: QueryCtx, text: string, candidates: Raga[], tradition: Tradition | undefined): Promise<Match | null> {
  const number = Number(MELAKARTA.exec(text.trim().toLowerCase())?.[1]);
  if (number >= 1 && number <= MELAKARTAS) {
    const asked = [`melakarta:${String(number)}`, ...(tradition === undefined ? [] : [`tradition:${tradition}`])];
    const melakarta = (await ragasWith(ctx, asked, NAMESAKES_MAX)).filter(({ chakra }) => chakra !== undefined);
    if (melakarta.length > 0) return { kind: "exact", ragas: melakarta };
  }
  const words: string[] = caseless(text).match(WORD) ?? [];
  if (words.length < 2) return null;
  const order = sortedKey(text);
  const reordered = order === "" ? [] : candidates.filter((raga) => namesOf(raga).some((name) => sortedKey(name) === order));
  if (reordered.length > 0) return { kind: "exact", ragas: namesakes(reordered, text, sortedKey) };
  for (const key of ["folded", "sound"] as const) {
    // Such as "rag eshri", whose first word is no title.
    const joined = await sharing(ctx, key, words.join(""), tradition);
    if (joined.length > 0) return { kind: "exact", ragas: joined };
  }
  const [stated] = words.map((word) => TRADITION_WORDS.get(word)).filter((one) => one !== undefined);
  const rest = words.filter((word) => !TRADITION_WORDS.has(word) && !KINDS.has(word));
  if (rest.length === 0 || rest.length === words.length) return null;
  if (stated !== undefined && tradition !== undefined && tradition !== stated) return null;
  const found = await findByName(ctx, rest.join(" "), stated ?? tradition);
  if (found.kind === "near" && stated !== undefined) {
    // The tradition can be a part of a name too, which was misspelt as a whole.
    const whole = await misspelt(ctx, text, spellingOf(text), candidates, tradition);
    return whole.kind === "near" ? whole : found;
  }
  return found.kind === "exact" || found.kind === "near" ? found : null;
}

async function misspelt(
  ctx: QueryCtx,
  text: string,
  typed: Spelling,
  candidates: Raga[],
  tradition: Tradition | undefined,
): Promise<Match> {
  const inTamil = hasTamil(text) ? await sharing(ctx, "tamil", text, tradition) : [];
  return inTamil.length > 0 ? { kind: "near", ragas: inTamil } : judged(candidates, typed, text);
}

/** Ragas whose names have most pairs of letters in common with a spelling; the likest are read, by their sound. */
async function candidatesFor(ctx: QueryCtx, typed: Spelling, tradition: Tradition | undefined): Promise<Raga[]> {
  const pairs = pairsOf(typed.sound).slice(0, SEARCH_TERMS_MAX);
  if (Math.max(typed.letters.length, typed.sound.length) < FIGURES.shortest || pairs.length === 0) return [];
  const rows = await ctx.db
    .query("ragaNames")
    .withSearchIndex("search_pairs", (q) => {
      const matching = q.search("pairs", pairs.join(" "));
      return tradition === undefined ? matching : matching.eq("tradition", tradition);
    })
    .take(CANDIDATES_MAX);
  const close = rows
    .map((row): [Name, number] => {
      const { sound = "", pairs: of = "" } = row;
      const words = of.split(" ");
      const shared = words.filter((pair) => pairs.includes(pair)).length / Math.max(words.length, pairs.length);
      // Words in another order, or one of several, share their pairs.
      return [row, Math.max(alignment(typed.sound, sound), shared) + (sound.includes(typed.sound) ? 1 : 0)];
    })
    .sort(([, one], [, other]) => other - one)
    .map(([row]) => row);
  const likest = new Set<Id<"ragas">>();
  for (const { ragaId } of close) if (likest.size < WEIGHED_MAX) likest.add(ragaId);
  return bearers(ctx, close.filter(({ ragaId }) => likest.has(ragaId)), tradition);
}

/** How alike a name and what was typed are, as a whole or in part. */
function closeness(name: string, spelling: Spelling, typed: Spelling, order: string): number {
  const { sound } = typed;
  let close = weighed(typed, spelling);
  if (sound.length < FIGURES.telling) return close;
  if (spelling.sound.includes(sound) && spelling.sound !== sound) {
    // The beginning of a name, or one of its words, says more than its share of the letters.
    const base = spelling.sound.startsWith(sound) ? FIGURES.byBeginning : FIGURES.byMiddle;
    close = Math.max(close, base + (FIGURES.byShare * sound.length) / spelling.sound.length);
  }
  const words = name.split(/\s+/u).filter((word) => word !== "");
  if (words.length < 2) return close;
  if (order !== "") return Math.max(close, likeness(order, sortedKey(name)) - OTHER_ORDER);
  const alone = words.map(soundKey).filter((word) => word.length >= FIGURES.telling);
  const shares = alone.map((word) => likeness(sound, word) * (FIGURES.byBeginning + (FIGURES.byShare * word.length) / spelling.sound.length));
  return Math.max(close, ...shares);
}

/** A raga's names with their ranks and spellings; of those that are written and sound the same, the first. */
function spellings(raga: Raga): [name: string, rank: number, spelling: Spelling][] {
  const found = new Map<string, [string, number, Spelling]>();
  for (const [at, name] of namesOf(raga).entries()) {
    const spelling = spellingOf(name);
    const key = `${spelling.letters} ${spelling.sound}`;
    if (spelling.sound !== "" && !found.has(key)) found.set(key, [name, rankAt(raga, at), spelling]);
  }
  return [...found.values()];
}

/** The likest of the candidates, and whether the first of them was surely meant. */
function judged(candidates: Raga[], typed: Spelling, text: string): Match {
  const [plain, order] = [plainKey(text), sortedKey(text)];
  const totals = new Map<Raga, number>();
  for (const raga of candidates) {
    const weight = FIGURES.wellKnown * Math.max(0, 1 - place(raga) / FIGURES.knownPlaces);
    const close = spellings(raga).map(([name, rank, spelling]) => closeness(name, spelling, typed, order) - A_RANK * rank + weight);
    const total = Math.max(...close);
    if (total >= FIGURES.possible) totals.set(raga, total);
  }
  const total = (raga: Raga): number => totals.get(raga) ?? 0;
  const ragas = ordered([...totals.keys()], (raga) => [
    -Math.round(total(raga) * 1000),
    -alignment(plain, plainKey(raga.name)),
    place(raga),
    raga._creationTime,
  ]);
  const [first] = ragas;
  if (first === undefined) return NOTHING;
  const name = soundKey(first.name);
  const rival = ragas.find((raga) => soundKey(raga.name) !== name);
  const sure = plain.length > FIGURES.short ? FIGURES.sure : FIGURES.sureOfShort;
  const isSure = total(first) >= sure && total(first) - (rival === undefined ? 0 : total(rival)) >= FIGURES.margin;
  return { kind: isSure ? "near" : "unsure", ragas };
}

/** Ragas one of whose names begins so: own names first, then the best known, then the short ones. */
export async function beginning(ctx: QueryCtx, text: string, tradition: Tradition | undefined): Promise<Raga[]> {
  const plain = plainKey(text);
  if (plain === "") return [];
  if (plain.length <= BEGINNING_MAX) {
    const asked = [`begins:${plain}`, ...(tradition === undefined ? [] : [`tradition:${tradition}`])];
    return ragasWith(ctx, asked, BEGINNINGS_MAX);
  }
  const rows = await ctx.db
    .query("ragaNames")
    .withIndex("by_folded", (q) => q.gte("folded", plain).lt("folded", `${plain}\u{10ffff}`))
    .take(BEGINNINGS_MAX);
  const ragas = await bearers(ctx, rows, tradition);
  return ordered(ragas, (raga) => {
    const own = plainKey(raga.name);
    return [own.startsWith(plain) ? 0 : 1, place(raga), own.length, raga._creationTime];
  });
}

/** The raga of exactly this name or spelling: its own before an alias. */
export function spelled(ctx: QueryCtx, name: string): Promise<Raga[]> {
  const folded = plainKey(name);
  return folded === "" ? Promise.resolve([]) : rowsBy(ctx, "folded", folded).then((rows) => bearers(ctx, rows, undefined));
}

/** Whether a name leaves anything to find it by. */
export function hasLetters(name: string): boolean {
  return plainKey(name) !== "";
}
