/** What those who look after a server or group have set there. */
import { v, type Infer } from "convex/values";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { DURATION_S, PLACE_MAX, text, whole } from "../limits";
import { forbidden, invalid } from "../refusals";

const CHATS_MAX = 100;
const PER_HOUR_MAX = 10_000;

export function groupOf(ctx: QueryCtx, group: string): Promise<Doc<"groups"> | null> {
  return ctx.db
    .query("groups")
    .withIndex("by_group", (q) => q.eq("group", group))
    .first();
}

/**
 * By which everything of a group is kept: of two bots in one group each has its own settings, bans and allowance, so that
 * either may leave. It begins with the bot, as in `b1/discord:42`, so that those of a bot stand side by side.
 */
export function groupKey(bot: string, platform: string, guild: string): string {
  return `${bot}/${text("The platform", platform, PLACE_MAX)}:${text("The group", guild, PLACE_MAX)}`;
}

/** The least key of a bot's groups, and the least one beyond them. */
export function keysOf(bot: string): [string, string] {
  return [`${bot}/`, `${bot}0`]; // 0 comes right after the slash
}

/** The group of a key without its bot, as in `discord:42`. */
export function groupOfKey(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/** The platform and the id of a key's group; its id may hold colons, a platform's name does not. */
export function partsOf(key: string): { platform: string; guild: string } {
  const group = groupOfKey(key);
  const colon = group.indexOf(":");
  return { platform: group.slice(0, colon), guild: group.slice(colon + 1) };
}

/** What is changed; null takes a setting back, and what is absent stays. */
export const groupChanges = v.object({
  allowedChats: v.optional(v.union(v.array(v.string()), v.null())),
  perHour: v.optional(v.union(v.number(), v.null())),
  longestS: v.optional(v.union(v.number(), v.null())),
});
type Changes = Infer<typeof groupChanges>;

function checked({ allowedChats, perHour, longestS }: Changes): void {
  if (allowedChats !== undefined && allowedChats !== null) {
    if (allowedChats.length > CHATS_MAX) throw invalid(`At most ${String(CHATS_MAX)} chats can be named.`);
    for (const chat of allowedChats) text("A chat", chat, PLACE_MAX);
  }
  if (perHour !== undefined && perHour !== null) whole("The number of pieces an hour", perHour, 1, PER_HOUR_MAX);
  if (longestS !== undefined && longestS !== null) whole("The longest length in seconds", longestS, ...DURATION_S);
}

export async function setUp(ctx: MutationCtx, group: string, changes: Changes): Promise<void> {
  checked(changes);
  const known = await groupOf(ctx, group);
  const { allowedChats, perHour, longestS } = changes;
  const after = {
    allowedChats: allowedChats === undefined ? known?.allowedChats : (allowedChats ?? undefined),
    perHour: perHour === undefined ? known?.perHour : (perHour ?? undefined),
    longestS: longestS === undefined ? known?.longestS : (longestS ?? undefined),
    updatedAt: Date.now(),
  };
  if (known === null) await ctx.db.insert("groups", { group, ...after });
  else await ctx.db.patch("groups", known._id, after);
}

/** Refuses a piece that a group does not want: in another chat than those it allows, or longer than it likes. */
export function expectWanted(settings: Doc<"groups"> | null, chat: string, durationS: number): void {
  if (settings?.allowedChats !== undefined && !settings.allowedChats.includes(chat)) {
    throw forbidden("Pieces are made in other chats of this group. Please ask there, or in a direct message.");
  }
  if (settings?.longestS !== undefined && durationS > settings.longestS) {
    throw invalid(`Here a piece lasts ${String(settings.longestS)} seconds at most. In a direct message it may be longer.`);
  }
}
