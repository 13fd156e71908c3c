/** Seeding of the catalogue by the bot, which carries it as reviewed files. */
import { compareValues, getConvexSize, v, type Infer } from "convex/values";
import type { Doc, Id } from "./_generated/dataModel";
import type { MutationCtx } from "./_generated/server";
import { anyoneQuery, botMutation } from "./callers";
import { CATALOGUE_MAX, NAME_MAX, RAGA_BYTES_MAX, text, UPSERT_MAX, whole, WORD_MAX } from "./limits";
import { foldName, foldWords } from "./model/folding";
import { invalid } from "./refusals";
import { ragaFields } from "./schema";

const raga = v.object(ragaFields);
type Raga = Infer<typeof raga>;

/** A raga has no more spellings than these. */
const NAMES_MAX = 60;

const MELAKARTAS = 72;
const PRAHARS = 8;

function check(given: Raga): void {
  text("The name of a raga", given.name, NAME_MAX);
  if (getConvexSize(given) > RAGA_BYTES_MAX) {
    throw invalid(`The entry of ${given.name} is larger than ${String(RAGA_BYTES_MAX)} bytes.`);
  }
  if (given.arohana.length === 0 || given.avarohana.length === 0) {
    throw invalid(`The entry of ${given.name} needs an arohana and an avarohana.`);
  }
  if (given.melakarta !== undefined) whole(`The melakarta of ${given.name}`, given.melakarta, 1, MELAKARTAS);
  for (const prahar of given.prahar ?? []) whole(`A prahar of ${given.name}`, prahar, 1, PRAHARS);
  if (foldName(given.name) === "") throw invalid("The name of a raga needs at least one letter.");
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
  return [...new Set([...names.map(foldName), ...words])].filter((word) => word !== "").join(" ");
}

async function writeNames(ctx: MutationCtx, ragaId: Id<"ragas">, given: Raga): Promise<void> {
  const own = foldName(given.name);
  const wanted = new Set([own, ...otherNames(given).map(foldName).filter((name) => name !== "")]);
  const kept = await ctx.db
    .query("ragaNames")
    .withIndex("by_raga", (q) => q.eq("ragaId", ragaId))
    .take(NAMES_MAX);
  for (const name of kept) {
    if (name.own === (name.folded === own) && wanted.delete(name.folded)) continue;
    await ctx.db.delete("ragaNames", name._id);
  }
  for (const folded of wanted) await ctx.db.insert("ragaNames", { ragaId, folded, own: folded === own });
}

function same(known: Doc<"ragas">, wanted: Omit<Doc<"ragas">, "_id" | "_creationTime">): boolean {
  const { _id: id, _creationTime: creationTime, ...fields } = known;
  return compareValues(fields, wanted) === 0;
}

async function upsertOne(ctx: MutationCtx, given: Raga): Promise<"added" | "changed" | "unchanged"> {
  const wanted = { ...given, searchText: searchText(given) };
  const known = await ctx.db
    .query("ragas")
    .withIndex("by_name_and_tradition", (q) => q.eq("name", given.name).eq("tradition", given.tradition))
    .first();
  if (known !== null && same(known, wanted)) return "unchanged";
  if (known === null) {
    await writeNames(ctx, await ctx.db.insert("ragas", wanted), given);
    return "added";
  }
  await ctx.db.replace("ragas", known._id, wanted);
  await writeNames(ctx, known._id, given);
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

/** Says which catalogue is complete now. The bots see the change in deliveries:watch and fetch it. */
export const publish = botMutation({
  args: { version: v.string(), count: v.number() },
  returns: v.null(),
  handler: async (ctx, args) => {
    const version = text("The version", args.version, WORD_MAX * 2);
    const count = whole("The number of ragas", args.count, 0, CATALOGUE_MAX);
    const state = await ctx.db.query("catalogueState").first();
    const wanted = { version, count, updatedAt: Date.now() };
    if (state === null) await ctx.db.insert("catalogueState", wanted);
    else if (state.version !== version || state.count !== count) {
      await ctx.db.replace("catalogueState", state._id, wanted);
    }
    return null;
  },
});

export const version = anyoneQuery({
  args: {},
  returns: v.union(v.object({ version: v.string(), count: v.number() }), v.null()),
  handler: async (ctx) => {
    const state = await ctx.db.query("catalogueState").first();
    return state === null ? null : { version: state.version, count: state.count };
  },
});
