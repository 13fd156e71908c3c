/** Where a migrated user came from, once they have become part of another. */
import type { Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";

const BATCH = 200;

/**
 * Makes another user the one whom a row of the older application stands for: a deletion has to find that row, and its
 * e-mail address has to lead to who has it now. For the migration it is a user who was there before, whom no later run
 * or rollback changes.
 */
export async function passOrigin(ctx: MutationCtx, from: Id<"users">, to: Id<"users">): Promise<void> {
  const origins = await ctx.db
    .query("migrated")
    .withIndex("by_doc", (q) => q.eq("docId", from))
    .take(BATCH);
  for (const { _id } of origins) {
    const changes = await ctx.db
      .query("migrationUndo")
      .withIndex("by_migrated", (q) => q.eq("migratedId", _id))
      .take(BATCH);
    for (const change of changes) await ctx.db.delete("migrationUndo", change._id);
    await ctx.db.patch("migrated", _id, { docId: to, how: "merged" });
  }
}
