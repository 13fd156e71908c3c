/** Servers and groups: what those who look after them set there, and what the bot's operator sets everywhere. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation, type MutationCtx } from "./_generated/server";
import { botMutation, botQuery, expectOwnGroup, groupAdminMutation, groupAdminQuery, type GroupAdminCaller } from "./callers";
import { KEY_MAX, NAME_MAX, pageOf, PLACE_MAX, SENTENCE_MAX, text } from "./limits";
import { allowance, left as leftOf } from "./model/allowances";
import { auditView, auditViewOf, write } from "./model/audits";
import { banOf, EVERYWHERE, hashOf } from "./model/bans";
import { announcementOf } from "./model/announcements";
import { forgetGroup } from "./model/erasing";
import { groupChanges, groupKey, groupOf, groupOfKey, keysOf, partsOf, setUp } from "./model/groups";
import { moveGroup } from "./model/moving";
import { userFor } from "./model/people";
import { recall, remember } from "./model/replays";
import { invalid, notFound, refusal } from "./refusals";

/** So many groups, and so many bans of each kind, are told to a bot. What lies beyond is kept by startGeneration. */
const RULES_MAX = 1000;
const BANS_SHOWN = 100;
const BANS_MAX = 500;
const CHATS_MAX = 1000;

/** Runs a change once for each key, under the caller's own user. */
async function once(ctx: MutationCtx, caller: GroupAdminCaller, idempotencyKey: string, act: () => Promise<void>): Promise<null> {
  const key = `group:${text("The idempotency key", idempotencyKey, KEY_MAX)}`;
  const user = await userFor(ctx, caller);
  if ((await recall(ctx, user._id, key)) !== undefined) return null;
  await act();
  await remember(ctx, user._id, key, null);
  return null;
}

/** The settings of the caller's group, who is banned there (the newest first), and what is left of its allowance. */
export const show = groupAdminQuery({
  args: { guild: v.string() },
  returns: v.object({
    allowedChats: v.union(v.array(v.string()), v.null()),
    perHour: v.union(v.number(), v.null()),
    longestS: v.union(v.number(), v.null()),
    pieces: v.object({ left: v.number(), of: v.number(), everyS: v.number() }),
    banned: v.array(v.object({ banId: v.id("bans"), name: v.optional(v.string()), createdAt: v.number() })),
  }),
  handler: async (ctx, { guild }, caller) => {
    const group = expectOwnGroup(caller, guild);
    const settings = await groupOf(ctx, group);
    const { capacity, period } = allowance("group", settings?.perHour);
    const banned = await ctx.db
      .query("bans")
      .withIndex("by_group", (q) => q.eq("group", group))
      .take(BANS_SHOWN);
    return {
      allowedChats: settings?.allowedChats ?? null,
      perHour: settings?.perHour ?? null,
      longestS: settings?.longestS ?? null,
      pieces: {
        left: Math.floor(await leftOf(ctx, "group", group, settings?.perHour)),
        of: capacity,
        everyS: period / 1000,
      },
      banned: banned
        .sort((one, other) => other.createdAt - one.createdAt)
        .map(({ _id, name, createdAt }) => ({ banId: _id, name, createdAt })),
    };
  },
});

/** Changes settings of the caller's group; null takes one back, what is not named stays. */
export const configure = groupAdminMutation({
  args: { guild: v.string(), changes: groupChanges, idempotencyKey: v.string() },
  returns: v.null(),
  handler: async (ctx, { guild, changes, idempotencyKey }, caller) => {
    const group = expectOwnGroup(caller, guild);
    return once(ctx, caller, idempotencyKey, async () => {
      await setUp(ctx, group, changes);
      await write(ctx, caller, { group, action: "configured", details: changes });
    });
  },
});

/** Lets an account have nothing made in the caller's group. Banning somebody again changes nothing. */
export const ban = groupAdminMutation({
  args: { guild: v.string(), account: v.string(), name: v.optional(v.string()), idempotencyKey: v.string() },
  returns: v.null(),
  handler: async (ctx, { guild, account, name, idempotencyKey }, caller) => {
    const group = expectOwnGroup(caller, guild);
    text("The account", account, PLACE_MAX);
    if (name !== undefined) text("The name", name, NAME_MAX);
    if (!account.startsWith(`${caller.platform}:`)) throw invalid("Only an account of this platform can be banned here.");
    if (account === caller.account) throw invalid("You cannot ban yourself.");
    return once(ctx, caller, idempotencyKey, async () => {
      const hash = await hashOf(account);
      if ((await banOf(ctx, group, hash)) !== null) return;
      const banned = await ctx.db
        .query("bans")
        .withIndex("by_group", (q) => q.eq("group", group))
        .take(BANS_MAX);
      if (banned.length === BANS_MAX) throw refusal("too_many", `${String(BANS_MAX)} accounts are banned here. Please lift a ban first.`);
      await ctx.db.insert("bans", { group, hash, name, createdAt: Date.now() });
      await write(ctx, caller, { group, action: "banned", subject: hash, subjectName: name });
    });
  },
});

/** Lifts a ban, by the account or as groups:show lists it. Lifting one that is not there changes nothing. */
export const unban = groupAdminMutation({
  args: { guild: v.string(), account: v.optional(v.string()), banId: v.optional(v.string()), idempotencyKey: v.string() },
  returns: v.null(),
  handler: async (ctx, { guild, account, banId, idempotencyKey }, caller) => {
    const group = expectOwnGroup(caller, guild);
    if ((account === undefined) === (banId === undefined)) throw invalid("Please name either the account or the ban.");
    return once(ctx, caller, idempotencyKey, async () => {
      const id = banId === undefined ? null : ctx.db.normalizeId("bans", banId);
      const known =
        account !== undefined
          ? await banOf(ctx, group, await hashOf(text("The account", account, PLACE_MAX)))
          : id === null
            ? null
            : await ctx.db.get("bans", id);
      if (known === null) return;
      if (known.group !== group) throw notFound();
      await ctx.db.delete("bans", known._id);
      await write(ctx, caller, { group, action: "unbanned", subject: known.hash, subjectName: known.name });
    });
  },
});

/** Who changed what in the caller's group, newest first. */
export const audit = groupAdminQuery({
  args: { guild: v.string(), paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(auditView),
  handler: async (ctx, { guild, paginationOpts }, caller) => {
    const group = expectOwnGroup(caller, guild);
    const result = await pageOf(paginationOpts, (options) =>
      ctx.db
        .query("audit")
        .withIndex("by_group", (q) => q.eq("group", group))
        .order("desc")
        .paginate(options),
    );
    return { ...result, page: result.page.map(auditViewOf) };
  },
});

/**
 * What a bot goes by before it asks Convex for anything: it may subscribe to this, which changes only when somebody
 * sets something. Accounts are told by their SHA-256.
 */
export const rules = botQuery({
  args: {},
  returns: v.object({
    groups: v.array(
      v.object({
        platform: v.string(),
        guild: v.string(),
        allowedChats: v.union(v.array(v.string()), v.null()),
        longestS: v.union(v.number(), v.null()),
        banned: v.array(v.string()),
      }),
    ),
    banned: v.array(v.string()),
    announcement: v.union(v.string(), v.null()),
  }),
  handler: async (ctx, _args, { bot }) => {
    const [first, beyond] = keysOf(bot);
    const settings = await ctx.db
      .query("groups")
      .withIndex("by_group", (q) => q.gte("group", first).lt("group", beyond))
      .take(RULES_MAX);
    const everywhere = await ctx.db
      .query("bans")
      .withIndex("by_group", (q) => q.eq("group", EVERYWHERE))
      .take(RULES_MAX);
    const somewhere = await ctx.db
      .query("bans")
      .withIndex("by_group", (q) => q.gte("group", first).lt("group", beyond))
      .take(RULES_MAX);
    const announcement = await announcementOf(ctx, bot);
    const bans = new Map<string, string[]>();
    for (const { group, hash } of somewhere) bans.set(group, [...(bans.get(group) ?? []), hash]);
    const known = new Map(settings.map((one) => [one.group, one]));
    return {
      groups: [...new Set([...known.keys(), ...bans.keys()])].map((group) => ({
        ...partsOf(group),
        allowedChats: known.get(group)?.allowedChats ?? null,
        longestS: known.get(group)?.longestS ?? null,
        banned: bans.get(group) ?? [],
      })),
      banned: everywhere.map(({ hash }) => hash),
      announcement: announcement?.text ?? null,
    };
  },
});

/** Says something to everybody who speaks with this bot, or (null) takes it back. Saying the same again changes nothing. */
export const announce = botMutation({
  args: { text: v.union(v.string(), v.null()) },
  returns: v.null(),
  handler: async (ctx, { text: words }, caller) => {
    if (words !== null) text("The announcement", words, SENTENCE_MAX);
    const known = await announcementOf(ctx, caller.bot);
    if ((known?.text ?? null) === words) return null;
    if (known !== null) await ctx.db.delete("announcements", known._id);
    if (words !== null) await ctx.db.insert("announcements", { bot: caller.bot, text: words, createdAt: Date.now() });
    await write(ctx, caller, { group: EVERYWHERE, action: "announced", details: { text: words } });
    return null;
  },
});

/** Lets an account have nothing made anywhere. Repeating it changes nothing. */
export const banEverywhere = botMutation({
  args: { account: v.string() },
  returns: v.null(),
  handler: async (ctx, { account }, caller) => {
    const hash = await hashOf(text("The account", account, PLACE_MAX));
    if ((await banOf(ctx, EVERYWHERE, hash)) !== null) return null;
    await ctx.db.insert("bans", { group: EVERYWHERE, hash, createdAt: Date.now() });
    await write(ctx, caller, { group: EVERYWHERE, action: "banned", subject: hash });
    return null;
  },
});

/** Lifts such a ban. Repeating it changes nothing. */
export const unbanEverywhere = botMutation({
  args: { account: v.string() },
  returns: v.null(),
  handler: async (ctx, { account }, caller) => {
    const known = await banOf(ctx, EVERYWHERE, await hashOf(text("The account", account, PLACE_MAX)));
    if (known === null) return null;
    await ctx.db.delete("bans", known._id);
    await write(ctx, caller, { group: EVERYWHERE, action: "unbanned", subject: known.hash });
    return null;
  },
});

/** Who changed what anywhere, newest first; `group` is null for what holds everywhere. */
export const auditAll = botQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(auditView.extend({ group: v.union(v.string(), v.null()) })),
  handler: async (ctx, { paginationOpts }) => {
    const result = await pageOf(paginationOpts, (options) =>
      ctx.db.query("audit").withIndex("by_time").order("desc").paginate(options),
    );
    return {
      ...result,
      page: result.page.map((entry) => ({ ...auditViewOf(entry), group: entry.group === EVERYWHERE ? null : groupOfKey(entry.group) })),
    };
  },
});

/**
 * The bot was taken out of a server or group (`guild`) or of single chats: what it kept of them goes, in batches.
 * Pieces stay with those who had them made. Repeating it changes nothing.
 */
export const left = botMutation({
  args: { platform: v.string(), guild: v.optional(v.string()), chats: v.array(v.string()) },
  returns: v.null(),
  handler: async (ctx, { platform, guild, chats }, { bot }) => {
    text("The platform", platform, PLACE_MAX);
    if (chats.length > CHATS_MAX) throw invalid(`At most ${String(CHATS_MAX)} chats can be named at once.`);
    for (const chat of chats) text("A chat", chat, PLACE_MAX);
    const group = guild === undefined ? null : groupKey(bot, platform, guild);
    await ctx.scheduler.runAfter(0, internal.groups.forget, { bot, platform, group, chats });
    return null;
  },
});

/** Goes on forgetting a group that a bot has left. */
export const forget = internalMutation({
  args: { bot: v.string(), platform: v.string(), group: v.union(v.string(), v.null()), chats: v.array(v.string()) },
  returns: v.null(),
  handler: async (ctx, place) => {
    const rest = await forgetGroup(ctx, place);
    if (rest !== null) await ctx.scheduler.runAfter(0, internal.groups.forget, rest);
    return null;
  },
});

/**
 * A group goes on under another id, as Telegram's groups do that grow: its settings, bans and audit log go with it, in
 * batches. What was set under the new id already stays. Repeating it changes nothing.
 */
export const moved = botMutation({
  args: { platform: v.string(), from: v.string(), to: v.string() },
  returns: v.null(),
  handler: async (ctx, { platform, from, to }, { bot }) => {
    if (from === to) throw invalid("A group cannot move to where it is.");
    const move = { bot, from: groupKey(bot, platform, from), to: groupKey(bot, platform, to) };
    if (await moveGroup(ctx, move)) await ctx.scheduler.runAfter(0, internal.groups.move, move);
    return null;
  },
});

/** Goes on moving a group. */
export const move = internalMutation({
  args: { bot: v.string(), from: v.string(), to: v.string() },
  returns: v.null(),
  handler: async (ctx, groups) => {
    if (await moveGroup(ctx, groups)) await ctx.scheduler.runAfter(0, internal.groups.move, groups);
    return null;
  },
});
