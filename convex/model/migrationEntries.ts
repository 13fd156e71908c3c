/** Entries of the move from PostgreSQL: one document to be, with the old row that it comes from. */
import { v, type Infer } from "convex/values";
import type { Doc, Id, TableNames } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { generationStatus, preferences, storedMetadata, storedRequest, tradition } from "../schema";
import { legacyFields, oldRagaFields, recordingFields } from "./migrationTables";

/** An old row, by the name of its table and its key as text. */
const row = v.object({ table: v.string(), id: v.string() });
const from = { table: v.string(), id: v.string(), checksum: v.string() };

export const migrationEntry = v.union(
  v.object({
    ...from,
    target: v.literal("users"),
    doc: v.object({
      email: v.optional(v.string()),
      name: v.optional(v.string()),
      preferences: v.optional(preferences),
      createdAt: v.number(),
    }),
  }),
  v.object({ ...from, target: v.literal("oldRagas"), doc: v.object(oldRagaFields) }),
  v.object({
    ...from,
    target: v.literal("musicGenerations"),
    owner: row,
    doc: v.object({
      request: storedRequest,
      status: generationStatus,
      audioFileId: v.optional(v.id("_storage")),
      metadata: v.optional(storedMetadata),
      error: v.optional(v.string()),
      errorCode: v.optional(v.string()),
      isFavorite: v.boolean(),
      createdAt: v.number(),
      completedAt: v.optional(v.number()),
    }),
  }),
  v.object({
    ...from,
    target: v.literal("favorites"),
    owner: row,
    piece: v.optional(row),
    doc: v.object({
      kind: v.union(v.literal("generation"), v.literal("raga")),
      raga: v.optional(v.string()),
      tradition: v.optional(tradition),
      createdAt: v.number(),
    }),
  }),
  v.object({ ...from, target: v.literal("recordings"), oldRaga: v.optional(row), doc: v.object(recordingFields) }),
  v.object({ ...from, target: v.literal("legacy"), doc: v.object(legacyFields) }),
);

export type MigrationEntry = Infer<typeof migrationEntry>;
export type Target = MigrationEntry["target"];
type Row = Infer<typeof row>;
type Migrated = Doc<"migrated">;

export function migratedAs(
  ctx: QueryCtx,
  source: string,
  { table, id }: Row,
  target: Target,
): Promise<Migrated | null> {
  return ctx.db
    .query("migrated")
    .withIndex("by_entry", (q) =>
      q.eq("source", source).eq("table", table).eq("legacyId", id).eq("target", target),
    )
    .unique();
}

/** The document that an index row stands for, if it is still there. */
export async function documentOf(
  ctx: QueryCtx,
  { target, docId }: Pick<Migrated, "target" | "docId">,
): Promise<Doc<Target> | null> {
  const id = ctx.db.normalizeId(target, docId);
  return id === null ? null : ctx.db.get(target, id);
}

/** The files that a document refers to. */
export function filesOf(doc: object): Id<"_storage">[] {
  const { file, audioFileId } = doc as { file?: Id<"_storage">; audioFileId?: Id<"_storage"> };
  return [file, audioFileId].filter((id) => id !== undefined);
}

/** A document without what Convex adds to it. */
export function fieldsOf<Table extends TableNames>(doc: Doc<Table>): Omit<Doc<Table>, "_id" | "_creationTime"> {
  const { _id: id, _creationTime: creationTime, ...fields } = doc;
  return fields;
}

async function placed<Table extends "users" | "musicGenerations" | "oldRagas">(
  ctx: QueryCtx,
  source: string,
  given: Row,
  target: Table,
): Promise<Id<Table> | null> {
  const known = await migratedAs(ctx, source, given, target);
  const id = known === null ? null : ctx.db.normalizeId(target, known.docId);
  return id !== null && (await ctx.db.get(target, id)) !== null ? id : null;
}

/** A document to be, its references resolved; null while a row that it refers to has no place yet. */
export type Resolved = { [Name in Target]: { target: Name; doc: ReturnType<typeof fieldsOf<Name>> } }[Target];

export async function resolved(ctx: QueryCtx, source: string, entry: MigrationEntry): Promise<Resolved | null> {
  switch (entry.target) {
    case "users":
    case "oldRagas":
    case "legacy":
      return entry;
    case "musicGenerations": {
      const userId = await placed(ctx, source, entry.owner, "users");
      return userId === null ? null : { target: entry.target, doc: { ...entry.doc, userId } };
    }
    case "favorites": {
      const userId = await placed(ctx, source, entry.owner, "users");
      if (userId === null) return null;
      if (entry.piece === undefined) return { target: entry.target, doc: { ...entry.doc, userId } };
      const generationId = await placed(ctx, source, entry.piece, "musicGenerations");
      return generationId === null ? null : { target: entry.target, doc: { ...entry.doc, userId, generationId } };
    }
    case "recordings": {
      if (entry.oldRaga === undefined) return entry;
      const oldRagaId = await placed(ctx, source, entry.oldRaga, "oldRagas");
      return oldRagaId === null ? null : { target: entry.target, doc: { ...entry.doc, oldRagaId } };
    }
  }
}

/**
 * What is there already and means the same: the person with this e-mail address (Convex holds only verified ones of
 * people who signed in), and what a person keeps already.
 */
async function sameAs(ctx: QueryCtx, { target, doc }: Resolved): Promise<Doc<"users"> | Doc<"favorites"> | null> {
  if (target === "users") {
    return doc.email === undefined
      ? null
      : ctx.db
          .query("users")
          .withIndex("by_email", (q) => q.eq("email", doc.email))
          .first();
  }
  if (target !== "favorites") return null;
  const kept = ctx.db.query("favorites");
  return doc.kind === "generation"
    ? kept
        .withIndex("by_user_and_generation", (q) => q.eq("userId", doc.userId).eq("generationId", doc.generationId))
        .first()
    : kept
        .withIndex("by_user_and_raga", (q) =>
          q.eq("userId", doc.userId).eq("raga", doc.raga).eq("tradition", doc.tradition),
        )
        .first();
}

function insert(ctx: MutationCtx, { target, doc }: Resolved): Promise<Id<Target>> {
  switch (target) {
    case "users":
      return ctx.db.insert(target, doc);
    case "oldRagas":
      return ctx.db.insert(target, doc);
    case "musicGenerations":
      return ctx.db.insert(target, doc);
    case "favorites":
      return ctx.db.insert(target, doc);
    case "recordings":
      return ctx.db.insert(target, doc);
    case "legacy":
      return ctx.db.insert(target, doc);
  }
}

/** Notes the files of a document; those of pieces are known by the pieces themselves. */
export async function holdFiles(ctx: MutationCtx, docId: string, doc: object): Promise<void> {
  if ("userId" in doc) return;
  for (const file of filesOf(doc)) await ctx.db.insert("migrationFiles", { file, docId });
}

/** What became of an entry. `differs`: it is there with another content; `waits`: what it refers to is not there. */
export const outcome = v.object({
  how: v.union(
    v.literal("created"),
    v.literal("merged"),
    v.literal("unchanged"),
    v.literal("differs"),
    v.literal("waits"),
  ),
  docId: v.optional(v.string()),
});

/** Puts an entry in its place, unless it is there. */
export async function place(
  ctx: MutationCtx,
  run: string,
  source: string,
  entry: MigrationEntry,
): Promise<Infer<typeof outcome>> {
  const { table, id: legacyId, target, checksum } = entry;
  const known = await migratedAs(ctx, source, entry, target);
  if (known !== null) {
    if (known.checksum !== checksum) return { how: "differs", docId: known.docId };
    // A repeat within the same run, whose first answer may have been lost, hears the first answer.
    return { how: known.run === run ? known.how : "unchanged", docId: known.docId };
  }
  const ready = await resolved(ctx, source, entry);
  if (ready === null) return { how: "waits" };
  const same = await sameAs(ctx, ready);
  const docId = same?._id ?? (await insert(ctx, ready));
  const how = same === null ? "created" : "merged";
  if (same === null) await holdFiles(ctx, docId, ready.doc);
  await ctx.db.insert("migrated", { run, source, table, legacyId, target, docId, how, checksum });
  return { how, docId };
}
