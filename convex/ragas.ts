/** The catalogue, for everybody. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v, type Infer } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { anyoneQuery } from "./callers";
import { CATALOGUE_MAX, NAME_MAX, pageOf, text } from "./limits";
import { filters } from "./model/facets";
import { spelled } from "./model/names";
import { searchRagas } from "./model/search";
import { ragaFields, tradition } from "./schema";

/** One name belongs to no more ragas than these. */
const NAMESAKES_MAX = 20;

const ragaDocument = v.object({ _id: v.id("ragas"), _creationTime: v.number(), ...ragaFields });

function shown({ searchText: _, folding: __, ...raga }: Doc<"ragas">): Infer<typeof ragaDocument> {
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

/**
 * The raga of that name: spelled exactly so, or else by any of its folded names and aliases. Where both traditions
 * have one and none is asked for, the Hindustani one.
 */
export const getByName = anyoneQuery({
  args: { name: v.string(), tradition: v.optional(tradition) },
  returns: v.union(ragaDocument, v.null()),
  handler: async (ctx, args) => {
    const name = text("The name", args.name, NAME_MAX);
    const exact = await ctx.db
      .query("ragas")
      .withIndex("by_name", (q) => q.eq("name", name))
      .take(NAMESAKES_MAX);
    const ragas = [...exact, ...(await spelled(ctx, name))];
    const fitting = ragas.filter((raga) => args.tradition === undefined || raga.tradition === args.tradition);
    const best = fitting[0];
    if (best === undefined) return null;
    const namesake = fitting.find((raga) => raga.name === best.name && raga.tradition === "Hindustani");
    return shown(namesake ?? best);
  },
});

/**
 * Ragas that are called so, however it is spelled, or whose qualities contain the words (the last may be unfinished);
 * of these the ones that have all that the filters ask for. Swaras as in `S R2 G3 P D2` are a filter too. Without
 * words, all that pass the filters, the best known first.
 */
export const search = anyoneQuery({
  args: { query: v.string(), ...filters },
  returns: v.array(ragaDocument),
  handler: async (ctx, args) => (await searchRagas(ctx, args)).map(shown),
});

export const page = anyoneQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(ragaDocument),
  handler: async (ctx, args) => {
    const result = await pageOf(args.paginationOpts, (options) => ctx.db.query("ragas").paginate(options));
    return { ...result, page: result.page.map(shown) };
  },
});
