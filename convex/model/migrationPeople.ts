/** People of the older application who come back. */
import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import type { UserCaller } from "../callers";

/**
 * The row that the migration brought (or found) for the e-mail address of this caller, who has none of their own yet.
 * A caller has an e-mail address only where their provider verified it.
 */
export async function migratedUser(ctx: QueryCtx, { email }: UserCaller): Promise<Doc<"users"> | null> {
  if (email === undefined) return null;
  const user = await ctx.db
    .query("users")
    .withIndex("by_email", (q) => q.eq("email", email.toLowerCase()))
    .first();
  if (user === null) return null;
  const migrated = await ctx.db
    .query("migrated")
    .withIndex("by_doc", (q) => q.eq("docId", user._id))
    .first();
  return migrated === null ? null : user;
}
