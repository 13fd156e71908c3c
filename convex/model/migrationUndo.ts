/** Changing what an earlier run of the migration brought, and taking a run back. */
import { compareValues, v, type Infer, type Value } from "convex/values";
import type { Doc, Id, TableNames } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { documentOf, fieldsOf, filesOf, holdFiles, type Resolved, type Target } from "./migrationEntries";
import { heldByMigration } from "./migrationFiles";
import { deleteUnusedFile, removePiece } from "./pieces";

function same(left: object, right: object): boolean {
  return compareValues(left as Value, right as Value) === 0;
}

/**
 * Replaces what an earlier run brought, if it is still as it was then (`previous`); says whether it was. What was there
 * is kept for a rollback, which is why files of the old form stay until then.
 */
export async function replaceMigrated(
  ctx: MutationCtx,
  run: string,
  known: Doc<"migrated">,
  ready: Resolved,
  checksum: string,
  previous: object | null,
): Promise<boolean> {
  const current = await documentOf(ctx, known);
  if (current === null) return false;
  const undo = { run, migratedId: known._id, checksum: known.checksum };
  if (known.how === "merged") {
    await ctx.db.insert("migrationUndo", undo);
  } else {
    const fields = fieldsOf(current);
    if (previous === null || !same(fields, previous)) return false;
    await ctx.db.insert("migrationUndo", { ...undo, doc: fields });
    await replace(ctx, current._id, ready);
    await holdFiles(ctx, current._id, ready.doc);
    // A piece holds its file by itself; the one that it had is held for the rollback.
    if (known.target === "musicGenerations") {
      const gone = filesOf(fields).filter((file) => !filesOf(ready.doc).includes(file));
      for (const file of gone) await ctx.db.insert("migrationFiles", { file, docId: current._id });
    }
  }
  await ctx.db.patch("migrated", known._id, { checksum });
  return true;
}

async function replace(ctx: MutationCtx, id: string, { target, doc }: Resolved): Promise<void> {
  // The document was read by this very table, so the id is one of it.
  const of = <Table extends TableNames>(table: Table): Id<Table> => ctx.db.normalizeId(table, id) as Id<Table>;
  switch (target) {
    case "users":
      return ctx.db.replace(target, of(target), doc);
    case "oldRagas":
      return ctx.db.replace(target, of(target), doc);
    case "musicGenerations":
      return ctx.db.replace(target, of(target), doc);
    case "favorites":
      return ctx.db.replace(target, of(target), doc);
    case "recordings":
      return ctx.db.replace(target, of(target), doc);
    case "legacy":
      return ctx.db.replace(target, of(target), doc);
  }
}

/** Lets go of files that the document held, and deletes those that nothing else refers to. */
async function dropFiles(ctx: MutationCtx, docId: string, keep: Id<"_storage">[] = []): Promise<void> {
  const rows = await ctx.db
    .query("migrationFiles")
    .withIndex("by_doc", (q) => q.eq("docId", docId))
    .take(10);
  for (const row of rows) {
    if (keep.includes(row.file)) continue;
    await ctx.db.delete("migrationFiles", row._id);
    await deleteFile(ctx, row.file);
  }
}

async function deleteFile(ctx: MutationCtx, file: Id<"_storage">): Promise<void> {
  if (!(await heldByMigration(ctx, file))) await deleteUnusedFile(ctx, file);
}

/** Whether somebody has signed in as this user. One who has become one with another has no account until that is taken back. */
async function signedIn(ctx: QueryCtx, userId: Id<"users">): Promise<boolean> {
  if ((await ctx.db.get("users", userId))?.mergedInto !== undefined) return true;
  const account = await ctx.db
    .query("accounts")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .first();
  return account !== null;
}

/** The same, or whether this user has something that the migration did not bring (what it brought has gone before). */
async function inUse(ctx: QueryCtx, userId: Id<"users">): Promise<boolean> {
  if (await signedIn(ctx, userId)) return true;
  const rows = await Promise.all([
    ctx.db
      .query("musicGenerations")
      .withIndex("by_user", (q) => q.eq("userId", userId))
      .first(),
    ctx.db
      .query("favorites")
      .withIndex("by_user", (q) => q.eq("userId", userId))
      .first(),
  ]);
  return rows.some((row) => row !== null);
}

async function remove(ctx: MutationCtx, target: Target, doc: Doc<Target>): Promise<"removed" | "kept"> {
  const of = <Table extends TableNames>(table: Table): Id<Table> => ctx.db.normalizeId(table, doc._id) as Id<Table>;
  switch (target) {
    case "musicGenerations":
      await removePiece(ctx, doc as Doc<"musicGenerations">);
      await dropFiles(ctx, doc._id);
      return "removed";
    case "users":
      if (await inUse(ctx, of(target))) return "kept";
      await ctx.db.delete(target, of(target));
      return "removed";
    default:
      await ctx.db.delete(target, of(target));
      await dropFiles(ctx, doc._id);
      return "removed";
  }
}

export interface Taken {
  removed: number;
  restored: number;
  kept: number;
  unlinked: number;
  done: boolean;
}

async function restore(ctx: MutationCtx, undo: Doc<"migrationUndo">): Promise<"restored" | "kept" | "unlinked"> {
  const known = await ctx.db.get("migrated", undo.migratedId);
  await ctx.db.delete("migrationUndo", undo._id);
  if (known === null) return "unlinked"; // The run that brought it was taken back before.
  await ctx.db.patch("migrated", known._id, { checksum: undo.checksum });
  const current = await documentOf(ctx, known);
  if (current === null || undo.doc === undefined) return "unlinked";
  // Whoever signs in may change their row, and what was linked is written there.
  if (known.target === "users" && (await signedIn(ctx, current._id as Id<"users">))) return "kept";
  const doc = undo.doc as object;
  await replace(ctx, current._id, { target: known.target, doc } as Resolved);
  const piece = known.target === "musicGenerations";
  await dropFiles(ctx, current._id, piece ? [] : filesOf(doc));
  if (piece) for (const file of filesOf(current)) await deleteFile(ctx, file);
  return "restored";
}

async function takeBack(ctx: MutationCtx, known: Doc<"migrated">): Promise<"removed" | "kept" | "unlinked"> {
  const undos = await ctx.db
    .query("migrationUndo")
    .withIndex("by_migrated", (q) => q.eq("migratedId", known._id))
    .take(100);
  for (const undo of undos) await ctx.db.delete("migrationUndo", undo._id);
  await ctx.db.delete("migrated", known._id);
  const doc = known.how === "merged" ? null : await documentOf(ctx, known);
  return doc === null ? "unlinked" : remove(ctx, known.target, doc);
}

/** What became of a row that was to be withdrawn. */
export const withdrawal = v.union(
  v.literal("removed"),
  v.literal("kept"),
  v.literal("unlinked"),
  v.literal("changed"),
);

/** Takes out what an earlier run brought, for good, if it is still as the caller has read it. */
export async function withdrawMigrated(
  ctx: MutationCtx,
  known: Doc<"migrated">,
  previous: object | null,
): Promise<Infer<typeof withdrawal>> {
  const current = known.how === "merged" ? null : await documentOf(ctx, known);
  if (current !== null && (previous === null || !same(fieldsOf(current), previous))) return "changed";
  return takeBack(ctx, known);
}

/** Takes back the newest so many things that a run did, and the run itself with the last of them. */
export async function rollBack(ctx: MutationCtx, run: string, limit: number): Promise<Taken> {
  const taken = { removed: 0, restored: 0, kept: 0, unlinked: 0 };
  const undos = await ctx.db
    .query("migrationUndo")
    .withIndex("by_run", (q) => q.eq("run", run))
    .order("desc")
    .take(limit);
  for (const undo of undos) taken[await restore(ctx, undo)] += 1;
  if (undos.length === limit) return { ...taken, done: false };
  // Newest first: a piece before its owner, what a person keeps before the piece.
  const brought = await ctx.db
    .query("migrated")
    .withIndex("by_run", (q) => q.eq("run", run))
    .order("desc")
    .take(limit - undos.length);
  for (const known of brought) taken[await takeBack(ctx, known)] += 1;
  if (undos.length + brought.length === limit) return { ...taken, done: false };
  const rows = await ctx.db
    .query("migrations")
    .withIndex("by_run", (q) => q.eq("run", run))
    .take(10);
  for (const row of rows) await ctx.db.delete("migrations", row._id);
  return { ...taken, done: true };
}
