/** The catalogue, for everybody. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v, type Infer } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import type { QueryCtx } from "./_generated/server";
import { anyoneQuery } from "./callers";
import { CATALOGUE_MAX, NAME_MAX, pageOf, SEARCH_MAX, text } from "./limits";
import { foldName, foldWords } from "./model/folding";
import { ragaFields, tradition } from "./schema";

/** Convex looks at no more words of a search than these. */
const SEARCH_WORDS_MAX = 16;

/** One spelling belongs to no more ragas than these: two traditions, and a few that share an alias. */
const NAMESAKES_MAX = 20;

const ragaDocument = v.object({ _id: v.id("ragas"), _creationTime: v.number(), ...ragaFields });

function shown({ searchText: _, ...raga }: Doc<"ragas">): Infer<typeof ragaDocument> {
  return raga;
}

export const getAll = anyoneQuery({
  args: { tradition: v.optional(tradition) },
  returns: v.array(ragaDocument),
  handler: async (ctx, args) => {
    const ragas = ctx.db.query("ragas");
    const { tradition } = args;
    const found =
      tradition === undefined
        ? await ragas.take(CATALOGUE_MAX)
        : await ragas.withIndex("by_tradition", (q) => q.eq("tradition", tradition)).take(CATALOGUE_MAX);
    return found.map(shown);
  },
});

async function spelled(ctx: QueryCtx, name: string): Promise<Doc<"ragas">[]> {
  const exact = await ctx.db
    .query("ragas")
    .withIndex("by_name", (q) => q.eq("name", name))
    .take(NAMESAKES_MAX);
  const folded = foldName(name);
  if (folded === "") return exact;
  // Descending: a raga's own name comes before another's alias.
  const spellings = await ctx.db
    .query("ragaNames")
    .withIndex("by_folded", (q) => q.eq("folded", folded))
    .order("desc")
    .take(NAMESAKES_MAX);
  const others = await Promise.all(spellings.map((spelling) => ctx.db.get("ragas", spelling.ragaId)));
  return [...exact, ...others.filter((raga) => raga !== null)];
}

/**
 * The raga of that name: spelled exactly so, or else by any of its folded names and aliases. Where both traditions
 * have one and none is asked for, the Hindustani one.
 */
export const getByName = anyoneQuery({
  args: { name: v.string(), tradition: v.optional(tradition) },
  returns: v.union(ragaDocument, v.null()),
  handler: async (ctx, args) => {
    const ragas = await spelled(ctx, text("The name", args.name, NAME_MAX));
    const fitting = ragas.filter((raga) => args.tradition === undefined || raga.tradition === args.tradition);
    const best = fitting[0];
    if (best === undefined) return null;
    const namesake = fitting.find((raga) => raga.name === best.name && raga.tradition === "Hindustani");
    return shown(namesake ?? best);
  },
});

/** Ragas whose names or qualities contain the words, best first. The last word may be unfinished. */
export const search = anyoneQuery({
  args: { query: v.string(), tradition: v.optional(tradition) },
  returns: v.array(ragaDocument),
  handler: async (ctx, args) => {
    const words = foldWords(text("The search", args.query, NAME_MAX)).split(" ").slice(0, SEARCH_WORDS_MAX).join(" ");
    if (words === "") return [];
    const { tradition } = args;
    const found = await ctx.db
      .query("ragas")
      .withSearchIndex("search_text", (q) => {
        const matching = q.search("searchText", words);
        return tradition === undefined ? matching : matching.eq("tradition", tradition);
      })
      .take(SEARCH_MAX);
    return found.map(shown);
  },
});

export const page = anyoneQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(ragaDocument),
  handler: async (ctx, args) => {
    const result = await pageOf(args.paginationOpts, (options) => ctx.db.query("ragas").paginate(options));
    return { ...result, page: result.page.map(shown) };
  },
});
