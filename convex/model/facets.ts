/** What ragas are chosen by besides their names: each quality as one word, and lists of ragas that have some of them. */
import { v, type ObjectType } from "convex/values";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { NAME_MAX, text, whole } from "../limits";
import { invalid } from "../refusals";
import { tradition } from "../schema";
import { foldWords, plainKey } from "./folding";

type Raga = Omit<Doc<"ragas">, "_id" | "_creationTime" | "searchText">;

/** So many ragas of one quality are looked at, the best known first. */
export const FACET_MAX = 600;

/** A raga has no more qualities than these. */
const FACETS_MAX = 100;

/** A raga's place where it is none of those asked for most. */
export const UNFAMILIAR = 1000;

/** A list of names by their beginnings serves these lengths; longer ones the index of names. */
export const BEGINNING_MAX = 2;

export const MELAKARTAS = 72;
export const PRAHARS = 8;

const PITCH_CLASS: Record<string, number> = {
  ...{ S: 0, R1: 1, R2: 2, R3: 3, G1: 2, G2: 3, G3: 4, M1: 5, M2: 6 },
  ...{ P: 7, D1: 8, D2: 9, D3: 10, N1: 9, N2: 10, N3: 11 },
};
const SWARAS_MAX = 16;
const FEWEST_SWARAS = 3;

/** What may be asked of a raga besides its name; all of it at once. */
export const filters = {
  tradition: v.optional(tradition),
  thaat: v.optional(v.string()),
  melakarta: v.optional(v.number()),
  /** A watch of the day, 1 to 8 from sunrise. */
  prahar: v.optional(v.number()),
  /** A mood or a rasa. */
  mood: v.optional(v.string()),
  /** The swaras that it has, and no others: names as in `["S", "R2", "G3", "P", "D2"]`, whatever the octave. */
  swaras: v.optional(v.array(v.string())),
};
export type Filters = ObjectType<typeof filters>;

function keyOf(swara: string): number | undefined {
  return PITCH_CLASS[swara.replace(/[',]+$/u, "")];
}

/** One word for a set of keys: `0.2.4.7.9`. What is no swara has none. */
function scaleWord(swaras: readonly string[]): string {
  const keys = new Set(swaras.map(keyOf).filter((key) => key !== undefined));
  return `swaras:${[...keys].sort((one, other) => one - other).join(".")}`;
}

/** The swaras of a search such as `S R2 G3 P D2`; null where it is none. */
export function swarasIn(query: string): string[] | null {
  const words = query.trim().split(/\s+/u);
  return words.length >= FEWEST_SWARAS && words.length <= SWARAS_MAX && words.every((word) => keyOf(word) !== undefined) ? words : null;
}

/** Every quality of a raga, the rarest kind first. */
export function facetsOf(raga: Raga): string[] {
  const own = plainKey(raga.name);
  const beginnings = Array.from({ length: BEGINNING_MAX }, (_, more) => own.slice(0, BEGINNING_MAX - more));
  const facets = [
    scaleWord([...raga.arohana, ...raga.avarohana]),
    ...(raga.melakarta === undefined ? [] : [`melakarta:${String(raga.melakarta)}`]),
    ...beginnings.map((letters) => `begins:${letters}`),
    ...(raga.thaat === undefined ? [] : [`thaat:${foldWords(raga.thaat)}`]),
    ...(raga.prahar ?? []).map((prahar) => `prahar:${String(prahar)}`),
    ...[...(raga.mood ?? []), ...(raga.rasa ?? [])].map((word) => `mood:${foldWords(word)}`),
    `tradition:${raga.tradition}`,
  ];
  return [...new Set(facets)].slice(0, FACETS_MAX);
}

/** What a raga must have to pass, the rarest kind first. */
export function facetsAsked({ swaras, melakarta, thaat, prahar, mood, tradition }: Filters): string[] {
  const asked: string[] = [];
  if (swaras !== undefined) {
    const stray = swaras.find((swara) => keyOf(swara) === undefined);
    if (stray !== undefined) throw invalid(`One of the swaras is none; they are ${Object.keys(PITCH_CLASS).join(" ")}.`);
    if (swaras.length > SWARAS_MAX) throw invalid(`Please name at most ${String(SWARAS_MAX)} swaras.`);
    asked.push(scaleWord(swaras));
  }
  if (melakarta !== undefined) asked.push(`melakarta:${String(whole("The melakarta", melakarta, 1, MELAKARTAS))}`);
  if (thaat !== undefined) asked.push(`thaat:${foldWords(text("The thaat", thaat, NAME_MAX))}`);
  if (prahar !== undefined) asked.push(`prahar:${String(whole("The prahar", prahar, 1, PRAHARS))}`);
  if (mood !== undefined) asked.push(`mood:${foldWords(text("The mood", mood, NAME_MAX))}`);
  if (tradition !== undefined) asked.push(`tradition:${tradition}`);
  return asked;
}

/** Ragas that have all of these (at least one), the best known first. Reads at most `FACET_MAX` rows and `limit` ragas. */
export async function ragasWith(ctx: QueryCtx, asked: string[], limit: number): Promise<Doc<"ragas">[]> {
  const [rarest, ...others] = asked;
  if (rarest === undefined) return [];
  const rows = await ctx.db
    .query("ragaFacets")
    .withIndex("by_facet", (q) => q.eq("facet", rarest))
    .take(others.length === 0 ? limit : FACET_MAX);
  const fitting = rows.filter(({ all }) => others.every((facet) => all.includes(facet))).slice(0, limit);
  const ragas = await Promise.all(fitting.map(({ ragaId }) => ctx.db.get("ragas", ragaId)));
  return ragas.filter((raga) => raga !== null);
}

/** Brings a raga's rows in step with it. */
export async function writeFacets(ctx: MutationCtx, ragaId: Id<"ragas">, raga: Raga): Promise<void> {
  const all = facetsOf(raga);
  const place = raga.familiarity ?? UNFAMILIAR;
  const wanted = new Set(all);
  const kept = await ctx.db
    .query("ragaFacets")
    .withIndex("by_raga", (q) => q.eq("ragaId", ragaId))
    .take(FACETS_MAX);
  for (const row of kept) {
    if (row.place === place && row.all.join(" ") === all.join(" ") && wanted.delete(row.facet)) continue;
    await ctx.db.delete("ragaFacets", row._id);
  }
  for (const facet of wanted) await ctx.db.insert("ragaFacets", { ragaId, facet, place, all });
}
