/** What those who look after a group set there, what the operator sets everywhere, and that it is kept. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { api, internal } from "../../convex/_generated/api.js";
import { DAY_MS, POSTED, REQUEST, type Caller, type Start, type World, begin, chatAccount, finished, pageFrom, refusal, rows, world } from "./world.ts";

let all: World;
let admin: Caller;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  all = world();
  admin = all.backend.withIdentity({ ...chatAccount("discord:50", "Guru"), admin: "discord:g1" });
});
afterEach(() => {
  vi.useRealTimers();
});

type Changes = Parameters<typeof configured>[0];
const configured = (changes: { allowedChats?: string[] | null; perHour?: number | null; longestS?: number | null }, idempotencyKey = JSON.stringify(changes)) =>
  admin.mutation(api.groups.configure, { guild: "g1", changes, idempotencyKey });
const ban = (account: string, name?: string) => admin.mutation(api.groups.ban, { guild: "g1", account, idempotencyKey: `ban ${account}`, ...(name === undefined ? {} : { name }) });
const here = (message: string, more: Partial<Start["request"]> = {}): Partial<Start> => ({ delivery: { ...POSTED, message, group: "g1" }, request: { ...REQUEST, ...more } });
const show = () => admin.query(api.groups.show, { guild: "g1" });
const audit = async () => (await admin.query(api.groups.audit, { guild: "g1", ...pageFrom() })).page;
const settled = () => all.backend.finishAllScheduledFunctions(vi.runAllTimers);

async function sha256(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

test("pieces are made in the chats and to the length that a group allows, and everywhere else as ever", async () => {
  await configured({ allowedChats: ["c1"], longestS: 60 });
  await begin(all.asha, here("m1"));
  expect(await refusal(begin(all.asha, { delivery: { ...POSTED, chat: "c2", message: "m2", group: "g1" } }), "forbidden")).toMatch(/direct message/);
  expect(await refusal(begin(all.asha, here("m3", { duration: 61 })), "invalid")).toMatch(/60 seconds/);
  await begin(all.asha, { delivery: { ...POSTED, chat: "c2", message: "m4", group: "g2" } });
  await begin(all.asha, { request: { ...REQUEST, duration: 600 } });
  expect(await show()).toMatchObject({ allowedChats: ["c1"], longestS: 60, perHour: null, banned: [] });
  await configured({ allowedChats: null });
  await begin(all.asha, { delivery: { ...POSTED, chat: "c2", message: "m5", group: "g1" } });
  expect(await show()).toMatchObject({ allowedChats: null, longestS: 60 }); // what is not named stays
});

test("a group may want fewer pieces an hour than the deployment, not more, and a refund goes back to it", async () => {
  await configured({ perHour: 2 });
  await begin(all.asha, here("m1"));
  await begin(all.ravi, { delivery: { ...POSTED, platform: "discord", message: "m2", group: "g1" } });
  expect(await show()).toMatchObject({ pieces: { left: 0, of: 2, everyS: 3600 } });
  expect(await refusal(begin(all.asha, here("m3")), "too_many")).toBe("2 pieces were made here within an hour. One like this can be made in 30 minutes; in a direct message you need not wait.");
  vi.advanceTimersByTime(15 * 60_000); // half of one has come back by itself, at the group's own pace
  await all.ravi.mutation(api.musicGeneration.cancel, {});
  expect(await show()).toMatchObject({ pieces: { left: 1 } });
  await begin(all.asha, here("m4"));
  await begin(all.asha); // somewhere else, and she has enough of her own
  await configured({ perHour: 1 });
  expect(await refusal(begin(all.asha, here("m5")), "too_many")).toMatch(/^1 piece was made here within an hour\./);
  await configured({ perHour: 5000 });
  expect(await show()).toMatchObject({ perHour: 5000, pieces: { of: 60 } });
});

describe("bans", () => {
  test("hold in the group alone, by any account of a person, until they are lifted", async () => {
    await ban("discord:1", "Asha");
    await ban("discord:1", "Asha");
    expect(await refusal(begin(all.asha, here("m1")), "forbidden")).toMatch(/direct message/);
    await begin(all.asha);
    await begin(all.asha, { delivery: { ...POSTED, group: "g2" } });
    // Linked to another account, and asked for by that.
    await all.asha.mutation(api.links.begin, { hash: "6".repeat(64), kind: "code" });
    const { linkId } = (await all.ravi.mutation(api.links.redeem, { hash: "6".repeat(64) })) as { linkId: string };
    for (const caller of [all.asha, all.ravi]) await caller.mutation(api.links.confirm, { linkId });
    await refusal(begin(all.ravi, here("m2")), "forbidden");
    const { banned } = await show();
    expect(banned).toMatchObject([{ name: "Asha" }]);
    await admin.mutation(api.groups.unban, { guild: "g1", banId: banned[0]?.banId ?? "", idempotencyKey: "u" });
    await begin(all.ravi, here("m3"));
    expect((await show()).banned).toEqual([]);
    expect((await audit()).map(({ action, whom, by }) => [action, whom, by?.name])).toEqual([
      ["unbanned", "Asha", "Guru"],
      ["banned", "Asha", "Guru"],
    ]);
  });

  test("are listed from the newest on", async () => {
    for (let number = 1; number <= 5; number += 1) {
      await ban(`discord:${String(number)}`, `Person ${String(number)}`);
      vi.advanceTimersByTime(1000);
    }
    expect((await show()).banned.map(({ name }) => name)).toEqual([5, 4, 3, 2, 1].map((number) => `Person ${String(number)}`));
  });

  test("are for accounts of the platform, not for oneself, and lifted by the account too", async () => {
    await refusal(ban("telegram:2"), "invalid");
    await refusal(ban("discord:50"), "invalid");
    await refusal(ban(""), "invalid");
    await ban("discord:1");
    const unban = (more: object, idempotencyKey = JSON.stringify(more)) => admin.mutation(api.groups.unban, { guild: "g1", idempotencyKey, ...more });
    await refusal(unban({}), "invalid");
    await refusal(unban({ account: "discord:1", banId: "x" }), "invalid");
    await unban({ account: "discord:99" });
    await unban({ banId: "x" });
    await unban({ account: "discord:1" });
    await begin(all.asha, here("m1"));
    // A ban of elsewhere is not there.
    await all.bot.mutation(api.groups.banEverywhere, { account: "discord:1" });
    const banId = await all.backend.run(async (ctx) => (await ctx.db.query("bans").first())?._id ?? "");
    await refusal(unban({ banId }), "not_found");
  });

  test("everywhere: nothing is made, and what is theirs can still be had and deleted", async () => {
    await finished(all, all.asha);
    for (let time = 0; time < 2; time += 1) await all.bot.mutation(api.groups.banEverywhere, { account: "discord:1" });
    await refusal(begin(all.asha), "forbidden");
    expect((await all.asha.query(api.privacy.page, { section: "pieces", ...pageFrom() })).page).toHaveLength(1);
    for (let time = 0; time < 2; time += 1) await all.bot.mutation(api.groups.unbanEverywhere, { account: "discord:1" });
    await begin(all.asha);
    await all.bot.mutation(api.groups.banEverywhere, { account: "discord:1" });
    await all.asha.mutation(api.privacy.deleteMe, {});
    await settled();
    await refusal(begin(all.asha), "forbidden"); // a deletion does not end it
  });
});

test("a change is made once for a key, within bounds, by who looks after this very group", async () => {
  await configured({ perHour: 3 }, "key");
  await configured({ perHour: 9 }, "key");
  expect(await show()).toMatchObject({ perHour: 3 });
  expect(await audit()).toMatchObject([{ action: "configured", by: { platform: "discord", name: "Guru" }, details: { perHour: 3 } }]);
  const bad: Changes[] = [{ perHour: 0 }, { perHour: 1.5 }, { perHour: NaN }, { longestS: 4 }, { longestS: 601 }, { allowedChats: [""] }, { allowedChats: Array.from({ length: 101 }, String) }];
  for (const changes of bad) await refusal(configured(changes, "bad"), "invalid");
  await refusal(admin.query(api.groups.show, { guild: "g2" }), "forbidden");
  await refusal(all.asha.query(api.groups.show, { guild: "g1" }), "forbidden");
});

test("the rules tell a bot what it needs, accounts by their hash alone", async () => {
  const rules = () => all.bot.query(api.groups.rules, {});
  expect(await rules()).toEqual({ groups: [], banned: [], announcement: null });
  await configured({ allowedChats: ["c1"], longestS: 60 });
  await ban("discord:1", "Asha");
  await all.backend.withIdentity({ ...chatAccount("telegram:51", "Other"), admin: "telegram:-100:7" }).mutation(api.groups.ban, { guild: "-100:7", account: "telegram:2", idempotencyKey: "b" });
  await all.bot.mutation(api.groups.banEverywhere, { account: "discord:66" });
  for (const text of ["Back soon.", "Back at noon.", "Back at noon."]) await all.bot.mutation(api.groups.announce, { text });
  expect(await rules()).toEqual({
    groups: [
      { platform: "discord", guild: "g1", allowedChats: ["c1"], longestS: 60, banned: [await sha256("discord:1")] },
      { platform: "telegram", guild: "-100:7", allowedChats: null, longestS: null, banned: [await sha256("telegram:2")] },
    ],
    banned: [await sha256("discord:66")],
    announcement: "Back at noon.",
  });
  expect((await all.otherBot.query(api.groups.rules, {})).announcement).toBeNull();
  await all.bot.mutation(api.groups.announce, { text: null });
  expect((await rules()).announcement).toBeNull();
  for (const text of ["", " ", "x".repeat(501)]) await refusal(all.bot.mutation(api.groups.announce, { text }), "invalid");
  const everything = (await all.bot.query(api.groups.auditAll, pageFrom())).page;
  expect(everything.map(({ action, group, by }) => [action, group, by?.name])).toEqual([
    ["announced", null, undefined],
    ["announced", null, undefined],
    ["announced", null, undefined],
    ["banned", null, undefined],
    ["banned", "telegram:-100:7", "Other"],
    ["banned", "discord:g1", "Guru"],
    ["configured", "discord:g1", "Guru"],
  ]);
});

test("a thread counts as the channel that it belongs to", async () => {
  await configured({ allowedChats: ["c1"] });
  const thread = { ...POSTED, chat: "t1", group: "g1" };
  await begin(all.asha, { delivery: { ...thread, message: "m1", room: "c1" } });
  await refusal(begin(all.asha, { delivery: { ...thread, message: "m2", room: "c2" } }), "forbidden");
  await refusal(begin(all.asha, { delivery: { ...thread, message: "m3" } }), "forbidden");
});

test("of two bots in a group each has its own settings, and either may leave", async () => {
  await configured({ longestS: 60 });
  await ban("discord:9", "Nine");
  const other = all.backend.withIdentity({ ...chatAccount("discord:50", "Guru", "b2"), admin: "discord:g1" });
  expect(await other.query(api.groups.show, { guild: "g1" })).toMatchObject({ longestS: null, banned: [] });
  await other.mutation(api.groups.configure, { guild: "g1", changes: { longestS: 30 }, idempotencyKey: "o" });
  await begin(all.backend.withIdentity(chatAccount("discord:9", "Nine", "b2")), here("m1"));
  expect((await all.otherBot.query(api.groups.rules, {})).groups).toMatchObject([{ guild: "g1", longestS: 30, banned: [] }]);
  expect((await all.bot.query(api.groups.rules, {})).groups).toMatchObject([{ guild: "g1", longestS: 60 }]);
  await all.otherBot.mutation(api.groups.left, { platform: "discord", guild: "g1", chats: [] });
  await settled();
  expect(await show()).toMatchObject({ longestS: 60, banned: [{ name: "Nine" }] });
  expect(await audit()).toHaveLength(2);
  expect(await other.query(api.groups.show, { guild: "g1" })).toMatchObject({ longestS: null });
  expect((await all.bot.query(api.groups.auditAll, pageFrom())).page.map(({ group }) => group)).toEqual(["discord:g1", "discord:g1"]);
});

test("a group that goes on under another id keeps what was set, and another bot's stays as it is", async () => {
  await configured({ longestS: 60, perHour: 2 });
  for (let number = 0; number < 250; number += 1) await all.backend.run((ctx) => ctx.db.insert("audit", { group: "b1/discord:g1", action: "banned", account: "discord:50", details: {}, createdAt: number }));
  await ban("discord:9", "Nine");
  await ban("discord:8");
  await finished(all, all.asha, here("m1"));
  const there = all.backend.withIdentity({ ...chatAccount("discord:50", "Guru"), admin: "discord:g2" });
  await there.mutation(api.groups.ban, { guild: "g2", account: "discord:9", idempotencyKey: "b" });
  const moved = (caller: typeof all.bot) => caller.mutation(api.groups.moved, { platform: "discord", from: "g1", to: "g2" });
  await moved(all.otherBot);
  expect(await show()).toMatchObject({ longestS: 60, pieces: { left: 1, of: 2 } });
  for (let time = 0; time < 2; time += 1) await moved(all.bot);
  await settled();
  expect(await show()).toMatchObject({ longestS: null, banned: [], pieces: { left: 60, of: 60 } });
  expect(await there.query(api.groups.show, { guild: "g2" })).toMatchObject({ longestS: 60, perHour: 2, pieces: { left: 1, of: 2 } });
  expect((await there.query(api.groups.show, { guild: "g2" })).banned).toHaveLength(2);
  expect((await rows(all))["audit"]).toBe(254);
  expect(await audit()).toEqual([]);
  await refusal(begin(all.backend.withIdentity(chatAccount("discord:8", "Eight")), { delivery: { ...POSTED, group: "g2" } }), "forbidden");
  // What was set under the new id already stays.
  await configured({ longestS: 90 });
  await moved(all.bot);
  expect(await there.query(api.groups.show, { guild: "g2" })).toMatchObject({ longestS: 60 });
  await all.bot.mutation(api.groups.left, { platform: "discord", guild: "g2", chats: [] });
  await settled();
  expect((await rows(all))["deliveries"]).toBeUndefined();
  await refusal(all.bot.mutation(api.groups.moved, { platform: "discord", from: "g1", to: "g1" }), "invalid");
});

test("what is announced comes with the bot's one subscription", async () => {
  const said = async (caller: typeof all.bot) => (await caller.query(api.deliveries.watch, {})).announcement;
  expect(await said(all.bot)).toBeNull();
  await all.bot.mutation(api.groups.announce, { text: "Back soon." });
  expect([await said(all.bot), await said(all.otherBot)]).toEqual(["Back soon.", null]);
});

test("a bot that is taken out of a group forgets it, and the pieces stay with whose they are", async () => {
  await configured({ longestS: 60 });
  await ban("discord:9", "Nine");
  const { piece } = await finished(all, all.asha, here("m1"));
  await finished(all, all.asha, { delivery: { ...POSTED, chat: "c7", message: "m2" } }); // by a bot that named no group
  await finished(all, all.asha, { delivery: { ...POSTED, chat: "dm", message: "m3" } });
  await all.otherBot.mutation(api.groups.left, { platform: "discord", chats: ["c7", "dm"] }); // another bot's
  await settled();
  expect((await rows(all))["deliveries"]).toBe(3);
  await all.bot.mutation(api.groups.left, { platform: "discord", guild: "g1", chats: ["c7", "c8"] });
  await settled();
  const left = await rows(all);
  expect([left["deliveries"], left["groups"], left["bans"], left["audit"]]).toEqual([1, undefined, undefined, undefined]);
  expect((await all.asha.query(api.musicGeneration.get, { generationId: piece })).own).toBe(true);
  await refusal(all.bot.mutation(api.groups.left, { platform: "discord", chats: Array.from({ length: 1001 }, String) }), "invalid");
});

test("what was changed is kept for a year", async () => {
  await configured({ perHour: 3 });
  vi.advanceTimersByTime(365 * DAY_MS - 1);
  await all.backend.mutation(internal.cleanup.purgeAudit, {});
  expect(await audit()).toHaveLength(1);
  vi.advanceTimersByTime(2);
  await all.backend.mutation(internal.cleanup.purgeAudit, {});
  expect(await audit()).toEqual([]);
});
