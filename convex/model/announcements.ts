/** What the operator wants everybody to read now. */
import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";

export function announcementOf(ctx: QueryCtx, bot: string): Promise<Doc<"announcements"> | null> {
  return ctx.db
    .query("announcements")
    .withIndex("by_bot", (q) => q.eq("bot", bot))
    .first();
}
