/** Ragas, by what they are found, and what people report about them. */
import { defineTable } from "convex/server";
import { v } from "convex/values";
import { correctable, correctionStatus } from "./correctable";

export const tradition = v.union(v.literal("Hindustani"), v.literal("Carnatic"));

/** What a raga is given with. Swaras are tokens such as `S`, `G3`, `N3,` (lower octave), `S'` (upper). */
export const ragaFields = {
  name: v.string(),
  tradition,
  arohana: v.array(v.string()),
  avarohana: v.array(v.string()),
  aliases: v.optional(v.array(v.string())),
  scripts: v.optional(v.array(v.object({ script: v.string(), name: v.string() }))),
  thaat: v.optional(v.string()),
  melakarta: v.optional(v.number()),
  chakra: v.optional(v.string()),
  parent: v.optional(v.string()),
  jati: v.optional(v.string()),
  vadi: v.optional(v.string()),
  samvadi: v.optional(v.string()),
  nyasa: v.optional(v.array(v.string())),
  pakad: v.optional(v.array(v.array(v.string()))),
  /** Watches of the day, 1 to 8 from sunrise. */
  prahar: v.optional(v.array(v.number())),
  time: v.optional(v.array(v.string())),
  season: v.optional(v.array(v.string())),
  rasa: v.optional(v.array(v.string())),
  mood: v.optional(v.array(v.string())),
  description: v.optional(v.string()),
  kin: v.optional(v.array(v.string())),
  notes: v.optional(v.string()),
  /** Forms of other schools, and whose they are. */
  variants: v.optional(
    v.array(v.object({ arohana: v.array(v.string()), avarohana: v.array(v.string()), note: v.string() })),
  ),
  reviewed: v.optional(v.boolean()),
  sources: v.optional(v.array(v.string())),
  /** Its place among the ragas that people ask for most, from 0; absent for all others. */
  familiarity: v.optional(v.number()),
  /** Measurements that an older application kept as JSON of its own making; its size is bounded, its shape is not ours. */
  audioFeatures: v.optional(v.any()),
};

export const catalogueTables = {
  /**
   * The catalogue.
   * Written by catalogue:upsert (the bot's seeding). Read by ragas:*, favorites:set. Deleted by nobody: a raga
   * that was once favored stays known.
   */
  ragas: defineTable({
    ...ragaFields,
    /** Folded names and qualities, made by catalogue:upsert for the search index. */
    searchText: v.string(),
    /** By which rules its names and qualities were folded. */
    folding: v.optional(v.number()),
  })
    .index("by_name", ["name"])
    .index("by_tradition", ["tradition"])
    .index("by_name_and_tradition", ["name", "tradition"])
    .searchIndex("search_text", { searchField: "searchText", filterFields: ["tradition"] }),

  /**
   * Every spelling of a raga (name, aliases, names in other scripts) under the keys that a name is looked up by: one
   * row each, so that a lookup by any of them is one index range.
   * Written and deleted by catalogue:upsert together with its raga. Read by ragas:getByName, ragas:search. What is
   * optional was absent in older rows.
   */
  ragaNames: defineTable({
    ragaId: v.id("ragas"),
    folded: v.string(),
    /** Whether this is the raga's own name; an alias gives way to it. */
    own: v.boolean(),
    tradition: v.optional(tradition),
    sound: v.optional(v.string()),
    tamil: v.optional(v.string()),
    /** Every two letters of `sound` as words, for misspelt names; empty where another row of the raga has the same. */
    pairs: v.optional(v.string()),
  })
    .index("by_folded", ["folded", "own"])
    .index("by_sound", ["sound"])
    .index("by_tamil", ["tamil"])
    .index("by_raga", ["ragaId"])
    .searchIndex("search_pairs", { searchField: "pairs", filterFields: ["tradition"] }),

  /**
   * What a raga may be chosen by (`thaat:kalyan`, `prahar:5`, `swaras:0.2.4.7.9`): one row for each quality, with
   * all of the raga's, so that ragas of several are found without reading those of one.
   * Written and deleted by catalogue:upsert together with its raga. Read by ragas:search.
   */
  ragaFacets: defineTable({
    ragaId: v.id("ragas"),
    facet: v.string(),
    /** The raga's `familiarity`. */
    place: v.number(),
    all: v.array(v.string()),
  })
    .index("by_facet", ["facet", "place"])
    .index("by_raga", ["ragaId"]),

  /**
   * Errors in the catalogue that people report.
   * Written by corrections:file and corrections:decide. Read by corrections:*. Deleted with who reported them.
   */
  corrections: defineTable({
    userId: v.id("users"),
    /** The account that it was reported from. */
    account: v.string(),
    raga: v.string(),
    tradition,
    field: correctable,
    text: v.string(),
    status: correctionStatus,
    createdAt: v.number(),
    decidedAt: v.optional(v.number()),
    /** A curator's account, or the bot's subject. */
    decidedBy: v.optional(v.string()),
    note: v.optional(v.string()),
    /** What was accepted, where it is not `text`. */
    value: v.optional(v.string()),
  })
    .index("by_user", ["userId", "createdAt"])
    .index("by_user_and_status", ["userId", "status"])
    .index("by_status", ["status", "createdAt"])
    .index("by_decision", ["status", "decidedAt"])
    .index("by_decider", ["decidedBy"]),

  /**
   * One row: which catalogue is published.
   * Written by catalogue:publish. Read by catalogue:version, deliveries:watch. Deleted by nobody.
   */
  catalogueState: defineTable({
    version: v.string(),
    count: v.number(),
    /** By which rules it was folded when it was published. */
    folding: v.optional(v.number()),
    updatedAt: v.number(),
  }),
};
