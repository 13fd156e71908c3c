/** A group that goes on under another id. */
import type { MutationCtx } from "../_generated/server";
import { allowance, forget, left, take } from "./allowances";
import { banOf } from "./bans";
import { groupOf } from "./groups";

const BATCH = 200;

interface Move {
  bot: string;
  from: string;
  to: string;
}

/** Moves a part of what is kept of a group, its settings first; says whether more is left. */
export async function moveGroup(ctx: MutationCtx, { bot, from, to }: Move): Promise<boolean> {
  const settings = await groupOf(ctx, from);
  const there = await groupOf(ctx, to);
  if (settings !== null && there === null) await ctx.db.patch("groups", settings._id, { group: to });
  else if (settings !== null) await ctx.db.delete("groups", settings._id);
  await moveAllowance(ctx, from, to, (there ?? settings)?.perHour);
  const bans = await ctx.db
    .query("bans")
    .withIndex("by_group", (q) => q.eq("group", from))
    .take(BATCH);
  for (const { _id, hash } of bans) {
    if ((await banOf(ctx, to, hash)) === null) await ctx.db.patch("bans", _id, { group: to });
    else await ctx.db.delete("bans", _id);
  }
  const audit = await ctx.db
    .query("audit")
    .withIndex("by_group", (q) => q.eq("group", from))
    .take(BATCH);
  for (const { _id } of audit) await ctx.db.patch("audit", _id, { group: to });
  const posted = await ctx.db
    .query("deliveries")
    .withIndex("by_group", (q) => q.eq("bot", bot).eq("group", from))
    .take(BATCH);
  for (const { _id } of posted) await ctx.db.patch("deliveries", _id, { group: to });
  return Math.max(bans.length, audit.length, posted.length) === BATCH;
}

/** What was used under the old id is used under the new one. */
async function moveAllowance(ctx: MutationCtx, from: string, to: string, perHour: number | undefined): Promise<void> {
  const used = Math.floor(allowance("group", perHour).capacity - (await left(ctx, "group", from, perHour)));
  if (used > 0) await take(ctx, "group", to, used, perHour);
  await forget(ctx, from);
}
