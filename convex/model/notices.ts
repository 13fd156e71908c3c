/** What accounts are told in private, through the bot that they were last seen by. */
import { v, type Infer } from "convex/values";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { noticeDetails, noticeKind } from "./accountTables";

/** So many are handed to a bot at once; told ones make room for the rest. */
const TOLD_AT_ONCE = 50;

export const noticeView = v.object({
  noticeId: v.id("notices"),
  account: v.string(),
  platform: v.string(),
  kind: noticeKind,
  details: noticeDetails,
});

/** An account that a bot can reach; one without a bot has a front end of its own, which shows its state anyway. */
interface Reachable {
  account: string;
  platform: string;
  bot?: string | undefined;
}

export async function tell(
  ctx: MutationCtx,
  { bot, account, platform }: Reachable,
  kind: Infer<typeof noticeKind>,
  details: Infer<typeof noticeDetails>,
): Promise<void> {
  if (bot === undefined) return;
  await ctx.db.insert("notices", { bot, account, platform, kind, details, createdAt: Date.now() });
}

/** How somebody else is named to a person: by platform and display name, never by an id. */
export function named({ platform, name }: { platform: string; name?: string | undefined }): {
  platform: string;
  name: string;
} {
  return { platform, name: name ?? "somebody without a name" };
}

export async function noticesOf(ctx: QueryCtx, bot: string): Promise<Infer<typeof noticeView>[]> {
  const notices = await ctx.db
    .query("notices")
    .withIndex("by_bot", (q) => q.eq("bot", bot))
    .take(TOLD_AT_ONCE);
  return notices.map((notice: Doc<"notices">) => ({
    noticeId: notice._id,
    account: notice.account,
    platform: notice.platform,
    kind: notice.kind,
    details: notice.details,
  }));
}
