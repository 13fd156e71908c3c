/** Files that migrated rows refer to. */
import type { Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";

/** Whether a migrated row, other than a piece, refers to a file. */
export async function heldByMigration(ctx: QueryCtx, file: Id<"_storage">): Promise<boolean> {
  const row = await ctx.db
    .query("migrationFiles")
    .withIndex("by_file", (q) => q.eq("file", file))
    .first();
  return row !== null;
}
