/** Seeding of the catalogue by the bot, which carries it as reviewed files. */
import { compareValues, getConvexSize, v, type Infer } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import type { MutationCtx } from "./_generated/server";
import { anyoneQuery, botMutation } from "./callers";
import { CATALOGUE_MAX, NAME_MAX, RAGA_BYTES_MAX, text, UPSERT_MAX, whole, WORD_MAX } from "./limits";
import { MELAKARTAS, PRAHARS, UNFAMILIAR, writeFacets } from "./model/facets";
import { FOLDING, foldWords, plainKey } from "./model/folding";
import { NAMES_MAX, writeNames } from "./model/names";
import { invalid } from "./refusals";
import { ragaFields, tradition } from "./schema";

const raga = v.object(ragaFields);
type Raga = Infer<typeof raga>;

function check(given: Raga): void {
  text("The name of a raga", given.name, NAME_MAX);
  if (getConvexSize(given) > RAGA_BYTES_MAX) {
    throw invalid(`The entry of ${given.name} is larger than ${String(RAGA_BYTES_MAX)} bytes.`);
  }
  if (given.arohana.length === 0 || given.avarohana.length === 0) {
    throw invalid(`The entry of ${given.name} needs an arohana and an avarohana.`);
  }
  if (given.melakarta !== undefined) whole(`The melakarta of ${given.name}`, given.melakarta, 1, MELAKARTAS);
  if (given.familiarity !== undefined) whole(`The place of ${given.name}`, given.familiarity, 0, UNFAMILIAR);
  for (const prahar of given.prahar ?? []) whole(`A prahar of ${given.name}`, prahar, 1, PRAHARS);
  if (plainKey(given.name) === "") throw invalid("The name of a raga needs at least one letter.");
  const spellings = (given.aliases?.length ?? 0) + (given.scripts?.length ?? 0);
  if (spellings >= NAMES_MAX) throw invalid(`${given.name} has more than ${String(NAMES_MAX)} spellings.`);
}

function otherNames(given: Raga): string[] {
  return [...(given.aliases ?? []), ...(given.scripts ?? []).map((written) => written.name)];
}

/** What the search index reads: names first, then what people look ragas up by. */
function searchText(given: Raga): string {
  const names = [given.name, ...otherNames(given)];
  const words = [
    ...names,
    given.thaat ?? "",
    given.chakra ?? "",
    given.parent ?? "",
    given.melakarta === undefined ? "" : `melakarta ${String(given.melakarta)}`,
    ...(given.time ?? []),
    ...(given.season ?? []),
    ...(given.rasa ?? []),
    ...(given.mood ?? []),
    given.description ?? "",
  ].map(foldWords);
  // Names written together too, so that `yamankalyan` finds what is listed as two words.
  return [...new Set([...names.map(plainKey), ...words])].filter((word) => word !== "").join(" ");
}

function same(known: Doc<"ragas">, wanted: Omit<Doc<"ragas">, "_id" | "_creationTime">): boolean {
  const { _id: id, _creationTime: creationTime, ...fields } = known;
  return compareValues(fields, wanted) === 0;
}

async function upsertOne(ctx: MutationCtx, given: Raga): Promise<"added" | "changed" | "unchanged"> {
  const wanted = { ...given, searchText: searchText(given), folding: FOLDING };
  const known = await ctx.db
    .query("ragas")
    .withIndex("by_name_and_tradition", (q) => q.eq("name", given.name).eq("tradition", given.tradition))
    .first();
  if (known !== null && same(known, wanted)) return "unchanged";
  if (known === null) {
    const added = await ctx.db.insert("ragas", wanted);
    await writeNames(ctx, added, given);
    await writeFacets(ctx, added, given);
    return "added";
  }
  await ctx.db.replace("ragas", known._id, wanted);
  await writeNames(ctx, known._id, given);
  await writeFacets(ctx, known._id, given);
  return "changed";
}

/** Adds and changes ragas by name and tradition; what is there as given stays untouched. */
export const upsert = botMutation({
  args: { ragas: v.array(raga) },
  returns: v.object({ added: v.number(), changed: v.number(), unchanged: v.number() }),
  handler: async (ctx, args) => {
    if (args.ragas.length > UPSERT_MAX) {
      throw invalid(`Please send at most ${String(UPSERT_MAX)} ragas at once.`);
    }
    args.ragas.forEach(check);
    const counts = { added: 0, changed: 0, unchanged: 0 };
    for (const given of args.ragas) counts[await upsertOne(ctx, given)] += 1;
    return counts;
  },
});

/** Takes ragas away with their spellings and qualities; those that are not there are passed over. Gives how many were. */
export const remove = botMutation({
  args: { ragas: v.array(v.object({ name: v.string(), tradition })) },
  returns: v.number(),
  handler: async (ctx, args) => {
    if (args.ragas.length > UPSERT_MAX) {
      throw invalid(`Please send at most ${String(UPSERT_MAX)} ragas at once.`);
    }
    let removed = 0;
    for (const { name, tradition } of args.ragas) {
      const known = await ctx.db
        .query("ragas")
        .withIndex("by_name_and_tradition", (q) => q.eq("name", name).eq("tradition", tradition))
        .first();
      if (known === null) continue;
      const spellings = await ctx.db
        .query("ragaNames")
        .withIndex("by_raga", (q) => q.eq("ragaId", known._id))
        .collect();
      const qualities = await ctx.db
        .query("ragaFacets")
        .withIndex("by_raga", (q) => q.eq("ragaId", known._id))
        .collect();
      for (const { _id } of spellings) await ctx.db.delete("ragaNames", _id);
      for (const { _id } of qualities) await ctx.db.delete("ragaFacets", _id);
      await ctx.db.delete("ragas", known._id);
      removed += 1;
    }
    return removed;
  },
});

/** Says which catalogue is complete now. The bots see the change in deliveries:watch and fetch it. */
export const publish = botMutation({
  args: { version: v.string(), count: v.number() },
  returns: v.null(),
  handler: async (ctx, args) => {
    const version = text("The version", args.version, WORD_MAX * 2);
    const count = whole("The number of ragas", args.count, 0, CATALOGUE_MAX);
    const state = await ctx.db.query("catalogueState").first();
    const wanted = { version, count, folding: FOLDING, updatedAt: Date.now() };
    if (state === null) await ctx.db.insert("catalogueState", wanted);
    else if (state.version !== version || state.count !== count || state.folding !== FOLDING) {
      await ctx.db.replace("catalogueState", state._id, wanted);
    }
    return null;
  },
});

/** Which catalogue is there; null where there is none, or one whose names were folded by other rules than today's. */
export const version = anyoneQuery({
  args: {},
  returns: v.union(v.object({ version: v.string(), count: v.number() }), v.null()),
  handler: async (ctx) => {
    const state = await ctx.db.query("catalogueState").first();
    return state?.folding !== FOLDING ? null : { version: state.version, count: state.count };
  },
});
