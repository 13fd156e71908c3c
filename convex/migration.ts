/** The move from PostgreSQL: what `raga-bot migrate` calls, with the bot's own token and no other. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v, type Infer } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import type { MutationCtx, QueryCtx } from "./_generated/server";
import { botMutation, botQuery } from "./callers";
import { NAME_MAX, pageOf, text } from "./limits";
import {
  documentOf,
  fieldsOf,
  filesOf,
  migratedAs,
  migrationEntry,
  outcome,
  place,
  resolved,
} from "./model/migrationEntries";
import { heldByMigration } from "./model/migrationFiles";
import { migrationTarget } from "./model/migrationTables";
import { replaceMigrated, rollBack, withdrawal, withdrawMigrated } from "./model/migrationUndo";
import { pieceWithFile } from "./model/pieces";
import { invalid } from "./refusals";
import { tradition } from "./schema";

const ENTRIES_MAX = 500;
const ROLLBACK_BATCH = 200;
const RUNS_MAX = 50;
const RECORDINGS_MAX = 20;

const run = v.object({
  id: v.string(),
  source: v.string(),
  only: v.optional(v.string()),
  total: v.number(),
  startedAt: v.number(),
});

const migratedKey = { table: v.string(), id: v.string(), target: migrationTarget };

function rowOf(ctx: QueryCtx, id: string): Promise<Doc<"migrations"> | null> {
  return ctx.db
    .query("migrations")
    .withIndex("by_run", (q) => q.eq("run", id))
    .first();
}

/** Notes the run with the first thing that it writes: a run that changes nothing leaves nothing. */
async function noted(ctx: MutationCtx, { id, ...given }: Infer<typeof run>): Promise<void> {
  if ((await rowOf(ctx, id)) !== null) return;
  await ctx.db.insert("migrations", { ...given, run: id, stage: "import", cursor: 0, updatedAt: Date.now() });
}

/** Puts entries in their places; one that is there already is left alone. Answers in the entries' order. */
export const write = botMutation({
  args: { run, entries: v.array(migrationEntry) },
  returns: v.array(outcome),
  handler: async (ctx, { run, entries }) => {
    if (entries.length > ENTRIES_MAX) throw invalid(`Please send at most ${String(ENTRIES_MAX)} entries at once.`);
    text("The name of the source", run.source, NAME_MAX);
    const outcomes: Infer<typeof outcome>[] = [];
    for (const entry of entries) outcomes.push(await place(ctx, run.id, run.source, entry));
    if (outcomes.some(({ how }) => how === "created" || how === "merged")) await noted(ctx, run);
    return outcomes;
  },
});

/**
 * Gives an entry of an earlier run its new content, if the document is still as that run left it: `previous` is what the
 * caller has read of it. False where somebody has changed it since.
 */
export const replace = botMutation({
  args: { run, entry: migrationEntry, previous: v.union(v.any(), v.null()) },
  returns: v.boolean(),
  handler: async (ctx, { run, entry, previous }) => {
    const known = await migratedAs(ctx, run.source, entry, entry.target);
    if (known === null) return false;
    if (known.checksum === entry.checksum) return true;
    const ready = await resolved(ctx, run.source, entry);
    if (ready === null) return false;
    const before = previous as object | null;
    const done = await replaceMigrated(ctx, run.id, known, ready, entry.checksum, before);
    if (done) await noted(ctx, run);
    return done;
  },
});

/**
 * Takes out what earlier runs brought and the old database has no more, where it is still as it was left: `previous` is
 * what the caller has read of it. `kept`: somebody uses this account, so it is no longer one of the migration's.
 */
export const withdraw = botMutation({
  args: {
    source: v.string(),
    rows: v.array(v.object({ ...migratedKey, previous: v.union(v.any(), v.null()) })),
  },
  returns: v.array(withdrawal),
  handler: async (ctx, { source, rows }) => {
    if (rows.length > ENTRIES_MAX) throw invalid(`Please withdraw at most ${String(ENTRIES_MAX)} rows at once.`);
    const outcomes: Infer<typeof withdrawal>[] = [];
    for (const { previous, ...key } of rows) {
      const known = await migratedAs(ctx, source, key, key.target);
      outcomes.push(known === null ? "removed" : await withdrawMigrated(ctx, known, previous as object | null));
    }
    return outcomes;
  },
});

/** Says how far a run has come, for those who look and for a run that goes on elsewhere. */
export const mark = botMutation({
  args: { run: v.string(), stage: v.string(), cursor: v.number() },
  returns: v.null(),
  handler: async (ctx, { run, stage, cursor }) => {
    const row = await rowOf(ctx, run);
    if (row !== null && (row.stage !== stage || row.cursor !== cursor)) {
      await ctx.db.patch("migrations", row._id, { stage, cursor, updatedAt: Date.now() });
    }
    return null;
  },
});

/** The runs of one source, newest first. */
export const runs = botQuery({
  args: { source: v.string() },
  returns: v.array(
    v.object({
      run: v.string(),
      stage: v.string(),
      cursor: v.number(),
      total: v.number(),
      startedAt: v.number(),
      updatedAt: v.number(),
    }),
  ),
  handler: async (ctx, { source }) => {
    const rows = await ctx.db
      .query("migrations")
      .withIndex("by_source", (q) => q.eq("source", source))
      .order("desc")
      .take(RUNS_MAX);
    return rows.map(({ run, stage, cursor, total, startedAt, updatedAt }) => ({
      run,
      stage,
      cursor,
      total,
      startedAt,
      updatedAt,
    }));
  },
});

const found = v.object({
  table: v.string(),
  id: v.string(),
  target: migrationTarget,
  run: v.string(),
  how: v.union(v.literal("created"), v.literal("merged")),
  docId: v.string(),
  checksum: v.string(),
  /** Without what Convex adds; null when it is gone. */
  doc: v.union(v.any(), v.null()),
  files: v.array(v.object({ id: v.string(), sha256: v.union(v.string(), v.null()), size: v.number() })),
});

async function lookedUp(ctx: QueryCtx, known: Doc<"migrated">): Promise<Infer<typeof found>> {
  const { table, legacyId: id, target, run, how, docId, checksum } = known;
  const document = await documentOf(ctx, known);
  const doc = document === null ? null : fieldsOf(document);
  const files = await Promise.all(
    filesOf(doc ?? {}).map(async (id) => {
      const file = await ctx.db.system.get("_storage", id);
      return { id: id, sha256: file?.sha256 ?? null, size: file?.size ?? 0 };
    }),
  );
  return { table, id, target, run, how, docId, checksum, doc, files };
}

/** Everything that migration brought from a source, with the documents as they are now. */
export const page = botQuery({
  args: { source: v.string(), paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(found),
  handler: async (ctx, { source, paginationOpts }) => {
    const result = await pageOf(paginationOpts, (options) =>
      ctx.db
        .query("migrated")
        .withIndex("by_entry", (q) => q.eq("source", source))
        .paginate(options),
    );
    return { ...result, page: await Promise.all(result.page.map((known) => lookedUp(ctx, known))) };
  },
});

/** The same for some entries; those that were never brought are left out. */
export const entries = botQuery({
  args: {
    source: v.string(),
    keys: v.array(v.object(migratedKey)),
  },
  returns: v.array(found),
  handler: async (ctx, { source, keys }) => {
    if (keys.length > ENTRIES_MAX) throw invalid(`Please ask for at most ${String(ENTRIES_MAX)} entries at once.`);
    const known = await Promise.all(keys.map((key) => migratedAs(ctx, source, key, key.target)));
    return Promise.all(known.filter((one) => one !== null).map((one) => lookedUp(ctx, one)));
  },
});

/** Documents of the migration's own tables that no run brought. */
export const strays = botQuery({
  args: {
    table: v.union(v.literal("oldRagas"), v.literal("recordings"), v.literal("legacy")),
    paginationOpts: paginationOptsValidator,
  },
  returns: paginationResultValidator(v.string()),
  handler: async (ctx, { table, paginationOpts }) => {
    const result = await pageOf(paginationOpts, (options) => ctx.db.query(table).paginate(options));
    const ids = await Promise.all(
      result.page.map(async ({ _id }) => {
        const known = await ctx.db
          .query("migrated")
          .withIndex("by_doc", (q) => q.eq("docId", _id))
          .first();
        return known === null ? [_id] : [];
      }),
    );
    return { ...result, page: ids.flat() };
  },
});

/** An address to which the migration posts one file within the hour. */
export const uploadUrl = botMutation({
  args: {},
  returns: v.string(),
  handler: (ctx) => ctx.storage.generateUploadUrl(),
});

/** Files uploaded since a moment that nothing refers to yet: a run that was killed may have left them. */
export const uploads = botQuery({
  args: { since: v.number(), paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(v.object({ id: v.id("_storage"), sha256: v.string() })),
  handler: async (ctx, { since, paginationOpts }) => {
    const result = await pageOf(paginationOpts, (options) =>
      ctx.db.system
        .query("_storage")
        .withIndex("by_creation_time", (q) => q.gte("_creationTime", since))
        .paginate(options),
    );
    const unused = await Promise.all(
      result.page.map(async ({ _id: id, sha256 }) => {
        const used = (await heldByMigration(ctx, id)) || (await pieceWithFile(ctx, id)) !== null;
        return used ? [] : [{ id, sha256 }];
      }),
    );
    return { ...result, page: unused.flat() };
  },
});

/** Takes a run back, a part at each call until `done`. */
export const rollback = botMutation({
  args: { run: v.string() },
  returns: v.object({
    removed: v.number(),
    restored: v.number(),
    /** Users of the run who have signed in since. */
    kept: v.number(),
    /** Entries whose document was there before, or is gone. */
    unlinked: v.number(),
    done: v.boolean(),
  }),
  handler: (ctx, { run }) => rollBack(ctx, run, ROLLBACK_BATCH),
});

/** Recordings of a raga, for its card. */
export const recordings = botQuery({
  args: { raga: v.string(), tradition },
  returns: v.array(
    v.object({
      title: v.optional(v.string()),
      artist: v.optional(v.string()),
      date: v.optional(v.string()),
      location: v.optional(v.string()),
      durationS: v.optional(v.number()),
      audioFileId: v.optional(v.id("_storage")),
    }),
  ),
  handler: async (ctx, args) => {
    const rows = await ctx.db
      .query("recordings")
      .withIndex("by_raga", (q) => q.eq("raga.name", args.raga).eq("raga.tradition", args.tradition))
      .take(RECORDINGS_MAX);
    return rows.map(({ title, artist, date, location, durationS, audioFileId }) => ({
      title,
      artist,
      date,
      location,
      durationS,
      audioFileId,
    }));
  },
});
