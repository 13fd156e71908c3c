/** Ragas for whatever was typed into a search field: names however they are spelled, words, qualities. */
import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { NAME_MAX, SEARCH_MAX, text } from "../limits";
import { facetsAsked, facetsOf, type Filters, ragasWith, swarasIn } from "./facets";
import { foldWords } from "./folding";
import { beginning, findByName } from "./names";

type Raga = Doc<"ragas">;
type Tradition = Raga["tradition"];

/** Convex looks at no more words of a search than these. */
const SEARCH_WORDS_MAX = 16;

/** So many ragas that hold some of the words are looked at. */
const WORDS_MAX = 100;

/** Documents of all tables that one search reads at most: the sum of every bound here. Most read 100 to 300. */
export const READS_MAX = 1000;

/** Ragas that hold some of the words, which may stand anywhere in them; first those that hold all. */
async function worded(ctx: QueryCtx, query: string, tradition: Tradition | undefined): Promise<[all: Raga[], some: Raga[]]> {
  const words = foldWords(query).split(" ").slice(0, SEARCH_WORDS_MAX);
  if (words.join("") === "") return [[], []];
  const found = await ctx.db
    .query("ragas")
    .withSearchIndex("search_text", (q) => {
      const matching = q.search("searchText", words.join(" "));
      return tradition === undefined ? matching : matching.eq("tradition", tradition);
    })
    .take(WORDS_MAX);
  const holdsAll = ({ searchText }: Raga): boolean => words.every((word) => ` ${searchText}`.includes(` ${word}`));
  return [found.filter(holdsAll), found.filter((raga) => !holdsAll(raga))];
}

/**
 * Best first: what the name surely means, names that begin so, ragas that hold all the words, then some of them.
 * Where there is none of the first three, names that may have been meant.
 */
async function searched(ctx: QueryCtx, query: string, tradition: Tradition | undefined): Promise<Raga[]> {
  const { kind, ragas } = await findByName(ctx, query, tradition);
  const meant = kind === "unsure" ? [] : ragas;
  const begun = await beginning(ctx, query, tradition);
  const [all, some] = await worded(ctx, query, tradition);
  const found = [...meant, ...begun, ...all];
  return [...(found.length > 0 ? found : ragas), ...some];
}

/**
 * The ragas, best first, at most `SEARCH_MAX`. A search reads some hundred rows and ragas,
 * whatever the size of the catalogue: at most `READS_MAX`.
 */
export async function searchRagas(ctx: QueryCtx, args: Filters & { query: string }): Promise<Raga[]> {
  const swaras = args.swaras ?? swarasIn(args.query) ?? undefined;
  const query = swaras === args.swaras ? args.query : "";
  const asked = facetsAsked({ ...args, swaras });
  if (asked.length === 0 || query.trim() !== "") text("The search", query, NAME_MAX);
  const found = query.trim() === "" ? await ragasWith(ctx, asked, SEARCH_MAX) : await searched(ctx, query, args.tradition);
  const fitting = new Map(found.map((raga) => [raga._id, raga]));
  for (const [id, raga] of fitting) {
    const facets = facetsOf(raga);
    if (!asked.every((facet) => facets.includes(facet))) fitting.delete(id);
  }
  return [...fitting.values()].slice(0, SEARCH_MAX);
}
