/** What a bot has told people. What it still has to tell comes with deliveries:watch. */
import { v } from "convex/values";
import { botMutation } from "./callers";
import { notFound } from "./refusals";

/** The account has been told, or cannot be. Repeating it changes nothing. */
export const done = botMutation({
  args: { noticeId: v.string() },
  returns: v.null(),
  handler: async (ctx, { noticeId }, caller) => {
    const id = ctx.db.normalizeId("notices", noticeId);
    if (id === null) throw notFound();
    const notice = await ctx.db.get("notices", id);
    if (notice === null) return null;
    if (notice.bot !== caller.bot) throw notFound();
    await ctx.db.delete("notices", id);
    return null;
  },
});
