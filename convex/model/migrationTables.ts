/** Tables of the move from PostgreSQL (docs/migrate.md). Only the bot's own migration:* functions write them. */
import { defineTable } from "convex/server";
import { v } from "convex/values";

const tradition = v.union(v.literal("Hindustani"), v.literal("Carnatic"));

/** A raga of the catalogue, by the two fields that name it. */
const ragaName = v.object({ name: v.string(), tradition });

/** Where rows of the older application may find their place. */
export const migrationTarget = v.union(
  v.literal("users"),
  v.literal("oldRagas"),
  v.literal("musicGenerations"),
  v.literal("favorites"),
  v.literal("recordings"),
  v.literal("legacy"),
);

export const oldRagaFields = {
  name: v.string(),
  /** The name as lookups compare it; rows with the same one are the same name. */
  folded: v.string(),
  tradition: v.optional(tradition),
  /** The catalogue's raga of exactly this name or spelling. */
  raga: v.optional(ragaName),
  aliases: v.optional(v.array(v.string())),
  arohana: v.optional(v.array(v.string())),
  avarohana: v.optional(v.array(v.string())),
  vadi: v.optional(v.string()),
  samvadi: v.optional(v.string()),
  varjya: v.optional(v.array(v.string())),
  pakad: v.optional(v.array(v.array(v.string()))),
  jati: v.optional(v.string()),
  thaat: v.optional(v.string()),
  melakarta: v.optional(v.number()),
  parent: v.optional(v.string()),
  prahar: v.optional(v.array(v.number())),
  time: v.optional(v.array(v.string())),
  season: v.optional(v.array(v.string())),
  rasa: v.optional(v.array(v.string())),
  mood: v.optional(v.array(v.string())),
  description: v.optional(v.string()),
  history: v.optional(v.string()),
};

export const recordingFields = {
  title: v.optional(v.string()),
  raga: v.optional(ragaName),
  artist: v.optional(v.string()),
  composer: v.optional(v.string()),
  song: v.optional(v.string()),
  tala: v.optional(v.string()),
  kind: v.optional(v.string()),
  /** As in `1975-03-08`, `1975-03` or `1975`. */
  date: v.optional(v.string()),
  location: v.optional(v.string()),
  durationS: v.optional(v.number()),
  rating: v.optional(v.number()),
  notes: v.optional(v.string()),
  audioFileId: v.optional(v.id("_storage")),
};

/** What has no place of its own: a row's other columns as a JSON object, as text or (where that is long) in a file. */
export const legacyFields = {
  source: v.string(),
  table: v.string(),
  legacyId: v.string(),
  json: v.optional(v.string()),
  file: v.optional(v.id("_storage")),
  /** An audio file that the row points at. */
  audioFileId: v.optional(v.id("_storage")),
};

export const migrationTables = {
  /**
   * One row for each run that wrote anything.
   * Written by migration:write (with its first entry) and migration:mark. Read by migration:runs. Deleted by
   * migration:rollback, when the rest of the run is gone.
   */
  migrations: defineTable({
    run: v.string(),
    source: v.string(),
    only: v.optional(v.string()),
    stage: v.string(),
    cursor: v.number(),
    /** How many entries the run has in all. */
    total: v.number(),
    startedAt: v.number(),
    updatedAt: v.number(),
  })
    .index("by_run", ["run"])
    .index("by_source", ["source"]),

  /**
   * Which row of which old table became which document: one row for each document, also where it was there before.
   * Written by migration:write, migration:replace. Read by migration:*, and at a person's first sign-in. Deleted by
   * migration:rollback and migration:withdraw.
   */
  migrated: defineTable({
    run: v.string(),
    source: v.string(),
    table: v.string(),
    legacyId: v.string(),
    target: migrationTarget,
    docId: v.string(),
    /** `merged`: the document was there before and stays as it is. */
    how: v.union(v.literal("created"), v.literal("merged")),
    /** Of the entry as it was sent: the same one again writes nothing. */
    checksum: v.string(),
  })
    .index("by_entry", ["source", "table", "legacyId", "target"])
    .index("by_doc", ["docId"])
    .index("by_run", ["run"]),

  /**
   * What a document was before a later run replaced it.
   * Written by migration:replace. Read and deleted by migration:rollback.
   */
  migrationUndo: defineTable({
    run: v.string(),
    migratedId: v.id("migrated"),
    checksum: v.string(),
    /** The document's fields; absent where only the checksum changed. */
    doc: v.optional(v.any()),
  })
    .index("by_run", ["run"])
    .index("by_migrated", ["migratedId"]),

  /**
   * Which files migrated rows refer to, so that no cleanup takes them for unused.
   * Written by migration:write, migration:replace. Read by the question whether a file is used. Deleted by
   * migration:rollback and migration:withdraw.
   */
  migrationFiles: defineTable({ file: v.id("_storage"), docId: v.string() })
    .index("by_file", ["file"])
    .index("by_doc", ["docId"]),

  /**
   * Ragas as the older application knew them. The catalogue stays the reviewed one; `raga` leads to it.
   * Written by migration:write, migration:replace. Read by migration:*. Deleted by migration:rollback,
   * migration:withdraw.
   */
  oldRagas: defineTable(oldRagaFields).index("by_folded", ["folded"]),

  /**
   * Performances that a raga's card can cite.
   * Written by migration:write, migration:replace. Read by migration:recordings. Deleted by
   * migration:rollback, migration:withdraw.
   */
  recordings: defineTable({ ...recordingFields, oldRagaId: v.optional(v.id("oldRagas")) }).index("by_raga", [
    "raga.name",
    "raga.tradition",
  ]),

  /**
   * Every old row and column that has no place of its own.
   * Written by migration:write, migration:replace. Read by migration:*. Deleted by migration:rollback,
   * migration:withdraw.
   */
  legacy: defineTable(legacyFields).index("by_row", ["source", "table", "legacyId"]),
};
