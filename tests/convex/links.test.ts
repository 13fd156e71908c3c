/** Two accounts become one person's, and part again; and whoever tries it without being asked. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { api, internal } from "../../convex/_generated/api.js";
import schema from "../../convex/schema.ts";
import { newToken } from "./public_functions.ts";
import { DAY_MS, PLACE, POSTED, type Caller, type World, begin, chatAccount, finished, raga, refusal, world } from "./world.ts";

const MINUTE_MS = 60_000;
let all: World;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  all = world();
});
afterEach(() => {
  vi.useRealTimers();
});

const hashOf = (name: string): string => [...new TextEncoder().encode(name.padEnd(32, "."))].slice(0, 32).map((byte) => byte.toString(16).padStart(2, "0")).join("");
const show = (caller: Caller, hash: string, kind: "code" | "link" = "code") => caller.mutation(api.links.begin, { hash, kind });
const redeem = (caller: Caller, hash: string) => caller.mutation(api.links.redeem, { hash });
const confirm = (caller: Caller, linkId: string) => caller.mutation(api.links.confirm, { linkId });
const me = (caller: Caller) => caller.query(api.accounts.me, {});
const person = (subject: string, name: string): Caller => all.backend.withIdentity(chatAccount(subject, name));
const notices = async () => (await all.bot.query(api.deliveries.watch, {})).notices;

/** Redeemed by the second, confirmed by both. */
async function linked(first: Caller, second: Caller, hash = hashOf("secret")) {
  await show(first, hash);
  const redeemed = await redeem(second, hash);
  if (redeemed.status !== "ok") throw new Error(redeemed.status);
  expect((await confirm(second, redeemed.linkId)).status).toBe("waiting");
  const done = await confirm(first, redeemed.linkId);
  if (done.status !== "linked") throw new Error(done.status);
  return { ...redeemed, ...done };
}

const mira = (): Caller => person("discord:7", "Mira");
const share = (caller: Caller, generationId: string) => caller.mutation(api.shares.create, { generationId, token: newToken(), idempotencyKey: newToken() });
const playlist = async (caller: Caller): Promise<string> => (await caller.mutation(api.playlists.create, { name: "Mornings", idempotencyKey: newToken() })).playlistId;
async function joined(caller: Caller, owner: Caller, playlistId: string, role: "editor" | "listener"): Promise<void> {
  const { token } = await owner.mutation(api.playlists.invite, { playlistId, role, token: newToken() });
  await caller.mutation(api.playlists.join, { token });
}

/** Every document of every table, but for what counts and what passes by. */
function everything(): Promise<Record<string, unknown[]>> {
  return all.backend.run(async (ctx) => {
    const found: Record<string, unknown[]> = {};
    for (const table of Object.keys(schema.tables) as (keyof typeof schema.tables)[]) {
      if (!["links", "notices", "rateLimits"].includes(table)) found[table] = await ctx.db.query(table).collect();
    }
    return found;
  });
}

test("each side is told who the other is, both say yes, and all of both is there for both", async () => {
  const { piece: ashas } = await finished(all, all.asha, { delivery: POSTED });
  const { piece: ravis } = await finished(all, all.ravi);
  await all.ravi.mutation(api.accounts.setPreferences, { changes: { tonic: "D", duration: 90 } });
  await all.asha.mutation(api.accounts.setPreferences, { changes: { tonic: "C#" } });
  expect(await show(all.asha, hashOf("s"))).toEqual({ expiresAt: Date.now() + 5 * MINUTE_MS });
  const redeemed = await redeem(all.ravi, hashOf("s"));
  expect(redeemed).toMatchObject({ status: "ok", other: { platform: "discord", name: "Asha" } });
  const { linkId } = redeemed as { linkId: string };
  expect(await notices()).toMatchObject([{ account: "discord:1", kind: "link_asked", details: { linkId, platform: "telegram", name: "Ravi" } }]);
  expect(await all.asha.query(api.links.pending, {})).toMatchObject([{ linkId, other: { name: "Ravi" }, confirmed: false }]);
  expect(await confirm(all.ravi, linkId)).toEqual({ status: "waiting", other: { platform: "discord", name: "Asha" } });
  expect(await all.ravi.query(api.links.pending, {})).toMatchObject([{ confirmed: true }]);
  const done = await confirm(all.asha, linkId);
  expect(done).toMatchObject({ status: "linked", other: { platform: "telegram", name: "Ravi" }, undoUntil: Date.now() + DAY_MS });
  expect(await confirm(all.asha, linkId)).toEqual(done); // said twice is done once
  expect(await confirm(all.ravi, linkId)).toMatchObject({ status: "linked" });
  for (const caller of [all.asha, all.ravi]) {
    const own = await caller.query(api.musicGeneration.getUserHistory, {});
    expect(own.map(({ _id }) => _id).sort()).toEqual([ashas, ravis].sort());
    const { accounts, user, undo } = (await me(caller)) ?? {};
    expect(accounts?.map(({ account }) => account).sort()).toEqual(["discord:1", "telegram:2"]);
    expect(user?.preferences).toEqual({ tonic: "C#", duration: 90 }); // the older one's count, and the other's fill the gaps
    expect(undo).toMatchObject({ until: Date.now() + DAY_MS });
  }
  expect((await notices()).map(({ account, kind }) => [account, kind])).toEqual([
    ["discord:1", "link_asked"],
    ["telegram:2", "linked"],
  ]);
});

test("hearts: what both kept stands once, and a piece of the other's becomes one's own kept one", async () => {
  await all.bot.mutation(api.catalogue.upsert, { ragas: [raga("Durga"), raga("Desh")] });
  const { piece } = await finished(all, all.asha, { delivery: POSTED });
  const heart = (caller: Caller, target: object, key: string) => caller.mutation(api.favorites.set, { ...target, on: true, idempotencyKey: key });
  await heart(all.ravi, { generationId: piece, place: PLACE }, "1");
  for (const caller of [all.asha, all.ravi]) await heart(caller, { raga: "Durga", tradition: "Hindustani" }, "2");
  await heart(all.ravi, { raga: "Desh", tradition: "Hindustani" }, "3");
  await linked(all.asha, all.ravi);
  const kept = (await all.asha.query(api.favorites.list, { paginationOpts: { cursor: null, numItems: 10 } })).page;
  expect(kept.map(({ raga, generation }) => raga ?? generation?.id).sort()).toEqual(["Desh", "Durga", piece].sort());
  expect(await all.ravi.query(api.musicGeneration.getUserHistory, { isFavorite: true })).toMatchObject([{ _id: piece }]);
});

describe("bounds", () => {
  /** So many favorites of somebody, each of a piece of its own. Of a piece of who stays, no row takes more to be moved. */
  async function hearts(caller: Caller, count: number, owner: Caller): Promise<void> {
    const userId = (await me(caller))?.user.id;
    const ownerId = (await me(owner))?.user.id;
    if (userId === undefined || ownerId === undefined) throw new Error("They are not known yet.");
    await all.backend.run(async (ctx) => {
      for (let number = 0; number < count; number += 1) {
        const request = { musicType: "instrumental", mood: "calm", theme: "evening", duration: 30 } as const;
        const generationId = await ctx.db.insert("musicGenerations", { userId: ownerId, request, status: "completed", isFavorite: false, createdAt: number });
        await ctx.db.insert("favorites", { userId, kind: "generation", generationId, createdAt: number });
      }
    });
  }

  test("what is moved at once fits into a transaction of Convex, and so does its way back", async () => {
    all = world({ limits: true });
    for (const caller of [all.asha, all.ravi, mira()]) await caller.mutation(api.accounts.setPreferences, { changes: { tonic: "D" } });
    await hearts(all.ravi, 1200, all.asha);
    const before = await everything();
    const { mergeId } = await linked(all.asha, all.ravi);
    expect((await all.asha.query(api.favorites.list, { paginationOpts: { cursor: null, numItems: 100 } })).page).toHaveLength(100);
    await all.asha.mutation(api.links.undo, { mergeId });
    expect(await everything()).toEqual(before);
  }, 60_000);

  test("of one with more the other's move; where both have more, neither's", async () => {
    for (const caller of [all.asha, all.ravi, mira()]) {
      await caller.mutation(api.accounts.setPreferences, { changes: { tonic: "D" } });
      vi.advanceTimersByTime(1);
    }
    await hearts(all.ravi, 1201, mira());
    const { mergeId } = await linked(all.asha, all.ravi);
    const merges = (await everything())["merges"] as { keptId: string }[];
    await all.asha.mutation(api.links.undo, { mergeId });
    expect(merges[0]?.keptId).toBe((await me(all.ravi))?.user.id);
    await hearts(all.asha, 1201, mira());
    await show(all.asha, hashOf("full"));
    const { linkId } = (await redeem(all.ravi, hashOf("full"))) as { linkId: string };
    await confirm(all.ravi, linkId);
    await refusal(confirm(all.asha, linkId), "too_many");
  }, 60_000);

  test("twenty accounts are one person's at most", async () => {
    await begin(all.asha);
    for (let number = 1; number < 20; number += 1) {
      if (number % 9 === 0) vi.advanceTimersByTime(60 * MINUTE_MS);
      await linked(all.asha, person(`discord:${String(100 + number)}`, "Asha again"), hashOf(`a${String(number)}`));
    }
    await show(all.asha, hashOf("more"));
    const { linkId } = (await redeem(all.ravi, hashOf("more"))) as { linkId: string };
    await confirm(all.ravi, linkId);
    await refusal(confirm(all.asha, linkId), "too_many");
    expect((await me(all.asha))?.accounts).toHaveLength(20);
  });
});

describe("undo", () => {
  test("restores both users exactly", async () => {
    await all.bot.mutation(api.catalogue.upsert, { ragas: [raga("Durga"), raga("Desh")] });
    const { piece } = await finished(all, all.asha, { delivery: POSTED });
    await finished(all, all.ravi);
    await all.ravi.mutation(api.favorites.set, { generationId: piece, on: true, idempotencyKey: "1", place: PLACE });
    for (const caller of [all.asha, all.ravi]) {
      await caller.mutation(api.favorites.set, { raga: "Durga", tradition: "Hindustani", on: true, idempotencyKey: "2" });
    }
    await all.ravi.mutation(api.accounts.setPreferences, { changes: { tonic: "D" } });
    await all.ravi.mutation(api.corrections.file, { raga: "Desh", tradition: "Hindustani", field: "vadi", text: "It is Re.", idempotencyKey: "3" });
    const before = await everything();
    const { mergeId } = await linked(all.asha, all.ravi);
    expect(await everything()).not.toEqual(before);
    await all.ravi.mutation(api.links.undo, { mergeId });
    expect(await everything()).toEqual(before);
    await all.ravi.mutation(api.links.undo, { mergeId }); // said twice
    expect(await everything()).toEqual(before);
    expect((await notices()).at(-1)).toMatchObject({ account: "discord:1", kind: "link_undone", details: { name: "Ravi" } });
  });

  test("restores links, playlists and who belongs to them, exactly", async () => {
    const { piece: ashas } = await finished(all, all.asha);
    const { piece: ravis } = await finished(all, all.ravi);
    const { piece: miras } = await finished(all, mira());
    for (const [caller, generationId] of [[all.asha, ashas], [all.ravi, ravis], [mira(), miras]] as const) await share(caller, generationId);
    const token = (await share(mira(), miras)).token;
    for (const caller of [all.asha, all.ravi]) await caller.mutation(api.shares.open, { token });
    await all.ravi.mutation(api.shares.open, { token: (await share(all.asha, ashas)).token });
    const lists = [await playlist(all.asha), await playlist(all.ravi), await playlist(mira()), await playlist(mira())] as const;
    await joined(all.ravi, all.asha, lists[0], "editor");
    await joined(all.asha, all.ravi, lists[1], "listener");
    await joined(all.asha, mira(), lists[2], "listener");
    await joined(all.ravi, mira(), lists[2], "editor");
    await joined(all.ravi, mira(), lists[3], "listener");
    await all.ravi.mutation(api.playlists.add, { playlistId: lists[0], generationId: ravis });
    const before = await everything();
    const { mergeId } = await linked(all.asha, all.ravi);
    for (const caller of [all.asha, all.ravi]) {
      // The stronger role of both holds, and each playlist stands once.
      const mine = await caller.query(api.playlists.mine, {});
      expect(mine.map(({ playlistId, role }) => [playlistId, role]).sort()).toEqual([[lists[0], "owner"], [lists[1], "owner"], [lists[2], "editor"], [lists[3], "listener"]].sort());
      expect((await caller.query(api.shares.mine, { paginationOpts: { cursor: null, numItems: 10 } })).page).toHaveLength(2);
    }
    expect(await mira().query(api.playlists.members, { playlistId: lists[2] })).toHaveLength(2);
    expect(await all.asha.query(api.playlists.members, { playlistId: lists[1] })).toHaveLength(1);
    await all.asha.mutation(api.links.undo, { mergeId });
    expect(await everything()).toEqual(before);
  });

  test("what was shared and listed since goes with the piece", async () => {
    await begin(all.asha);
    await all.asha.mutation(api.musicGeneration.cancel, {});
    const { piece } = await finished(all, all.ravi);
    const { mergeId } = await linked(all.asha, all.ravi);
    const { token } = await share(all.asha, piece);
    const list = await playlist(all.asha);
    await all.asha.mutation(api.playlists.add, { playlistId: list, generationId: piece });
    await all.asha.mutation(api.links.undo, { mergeId });
    expect((await all.ravi.query(api.shares.mine, { paginationOpts: { cursor: null, numItems: 10 } })).page).toMatchObject([{ token }]);
    expect((await all.asha.query(api.playlists.show, { playlistId: list, paginationOpts: { cursor: null, numItems: 10 } })).entries.page).toMatchObject([{ addedBy: { name: "Ravi" } }]);
    await all.ravi.mutation(api.shares.revoke, { generationId: piece });
  });

  test("what was set aside goes for good once the link is final", async () => {
    const list = await playlist(mira());
    await joined(all.asha, mira(), list, "listener");
    await joined(all.ravi, mira(), list, "editor");
    await linked(all.asha, all.ravi);
    vi.advanceTimersByTime(DAY_MS + 1);
    await all.backend.mutation(internal.cleanup.settleMerges, {});
    await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
    expect((await everything())["playlistMembers"]).toMatchObject([{ role: "owner" }, { role: "editor" }]);
  });

  test("what was made since goes with the account that made it", async () => {
    for (const caller of [all.asha, all.ravi]) await begin(caller);
    const { mergeId } = await linked(all.asha, all.ravi);
    vi.advanceTimersByTime(MINUTE_MS);
    const since = await begin(all.ravi);
    const ashas = await begin(all.asha);
    await all.asha.mutation(api.links.undo, { mergeId });
    const ids = async (caller: Caller) => (await caller.query(api.musicGeneration.getUserHistory, {})).map(({ _id }) => _id);
    expect(await ids(all.ravi)).toContain(since);
    expect(await ids(all.ravi)).not.toContain(ashas);
    expect(await ids(all.asha)).toContain(ashas);
    expect(await ids(all.asha)).not.toContain(since);
  });

  test("is there for a day, for these two alone; then the link is final", async () => {
    for (const caller of [all.asha, all.ravi]) await begin(caller);
    const { mergeId } = await linked(all.asha, all.ravi);
    await refusal(person("discord:9", "Mallory").mutation(api.links.undo, { mergeId }), "not_found");
    vi.advanceTimersByTime(DAY_MS + 1);
    expect((await me(all.asha))?.undo).toBeNull();
    await refusal(all.asha.mutation(api.links.undo, { mergeId }), "invalid");
    await all.backend.mutation(internal.cleanup.settleMerges, {});
    await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
    const left = await everything();
    expect([left["users"]?.length, left["accounts"]?.length, left["merges"], left["mergeMoves"]]).toEqual([1, 2, [], []]);
  });
});

describe("attacks", () => {
  test("10,000 guesses of 100 identities find nothing, and the legitimate link still works", async () => {
    await show(all.asha, hashOf("the right one"));
    const guessers = Array.from({ length: 100 }, (_, number) => person(`discord:${String(1000 + number)}`, "Mallory"));
    const seen = { unknown: 0, paused: 0 };
    for (const [who, guesser] of guessers.entries()) {
      for (let guess = 0; guess < 100; guess += 1) {
        const { status } = await redeem(guesser, hashOf(`${String(who)} ${String(guess)}`));
        expect(status === "unknown" || status === "paused").toBe(true);
        seen[status as "unknown" | "paused"] += 1;
      }
    }
    expect(seen).toEqual({ unknown: 500, paused: 9500 });
    expect(await redeem(all.ravi, hashOf("the right one"))).toMatchObject({ status: "ok" });
  }, 120_000);

  test("a pause ends, one try every three minutes", async () => {
    for (let guess = 0; guess < 5; guess += 1) expect((await redeem(all.ravi, hashOf(String(guess)))).status).toBe("unknown");
    expect(await redeem(all.ravi, hashOf("x"))).toEqual({ status: "paused", until: Date.now() + 3 * MINUTE_MS });
    vi.advanceTimersByTime(3 * MINUTE_MS);
    expect((await redeem(all.ravi, hashOf("x"))).status).toBe("unknown");
    expect((await redeem(all.ravi, hashOf("x"))).status).toBe("paused");
  });

  test("a secret that was used, is too old, or was replaced is like a wrong one", async () => {
    await linked(all.asha, all.ravi, hashOf("used"));
    expect((await redeem(person("discord:7", "Mira"), hashOf("used"))).status).toBe("unknown");
    const mira = person("discord:7", "Mira");
    await show(mira, hashOf("old"));
    vi.advanceTimersByTime(5 * MINUTE_MS);
    expect((await redeem(all.ravi, hashOf("old"))).status).toBe("unknown");
    await show(mira, hashOf("first"));
    await show(mira, hashOf("second"));
    expect((await redeem(all.ravi, hashOf("first"))).status).toBe("unknown");
    expect((await redeem(all.ravi, hashOf("second"))).status).toBe("ok");
  });

  test("one's own secret, also from another account of one's own, links nothing", async () => {
    await show(all.asha, hashOf("own"));
    expect(await redeem(all.asha, hashOf("own"))).toEqual({ status: "own" });
    await linked(all.asha, all.ravi);
    await show(all.asha, hashOf("again"));
    expect(await redeem(all.ravi, hashOf("again"))).toEqual({ status: "own" });
  });

  test("of two who redeem at once one is let in, and the other hears what a stranger hears", async () => {
    await show(all.asha, hashOf("both"));
    const found = await Promise.all([redeem(all.ravi, hashOf("both")), redeem(person("discord:7", "Mira"), hashOf("both"))]);
    expect(found.map(({ status }) => status).sort()).toEqual(["ok", "unknown"]);
    expect(await redeem(all.ravi, hashOf("both"))).toMatchObject(found[0]); // the same again is the same
  });

  test("a stolen secret without the word of its owner is worth nothing", async () => {
    for (const caller of [all.asha, all.ravi]) await begin(caller);
    const mallory = person("telegram:66", "Mallory");
    await show(all.asha, hashOf("stolen"));
    const { linkId } = (await redeem(mallory, hashOf("stolen"))) as { linkId: string };
    expect((await confirm(mallory, linkId)).status).toBe("waiting");
    expect((await confirm(mallory, linkId)).status).toBe("waiting"); // nobody says yes for two
    await refusal(confirm(all.ravi, linkId), "not_found");
    expect(await mallory.query(api.musicGeneration.getUserHistory, {})).toEqual([]);
    await all.asha.mutation(api.links.decline, { linkId });
    expect((await confirm(all.asha, linkId)).status).toBe("ended");
    expect((await confirm(mallory, linkId)).status).toBe("ended");
    expect((await me(all.asha))?.accounts).toHaveLength(1);
    expect((await notices()).at(-1)).toMatchObject({ account: "telegram:66", kind: "link_declined", details: { name: "Asha" } });
  });

  test("a word that comes after ten minutes, or after unlinking, is too late", async () => {
    await show(all.asha, hashOf("late"));
    const { linkId } = (await redeem(all.ravi, hashOf("late"))) as { linkId: string };
    await confirm(all.ravi, linkId);
    vi.advanceTimersByTime(10 * MINUTE_MS);
    expect((await confirm(all.asha, linkId)).status).toBe("ended");
    await linked(all.asha, all.ravi, hashOf("two"));
    await show(all.ravi, hashOf("open"));
    const own = (await me(all.asha))?.accounts.find(({ account }) => account === "telegram:2");
    await all.asha.mutation(api.accounts.unlink, { id: own?.id ?? "", idempotencyKey: "u" });
    expect((await redeem(person("discord:7", "Mira"), hashOf("open"))).status).toBe("unknown");
  });

  test("only a hash is taken, only a few an hour, and nobody else's again", async () => {
    for (const hash of ["", "x", "A".repeat(64), "0".repeat(63), `${"0".repeat(64)}0`]) {
      await refusal(show(all.asha, hash), "invalid");
      await refusal(redeem(all.asha, hash), "invalid");
    }
    expect(await show(all.asha, hashOf("0"))).toEqual(await show(all.asha, hashOf("0")));
    await refusal(show(all.ravi, hashOf("0")), "invalid");
    for (let number = 1; number < 10; number += 1) await show(all.asha, hashOf(String(number)));
    await refusal(show(all.asha, hashOf("10")), "too_many");
  });
});

describe("unlink", () => {
  const unlink = (caller: Caller, id: string, key = "unlink") => caller.mutation(api.accounts.unlink, { id, idempotencyKey: key });

  test("takes an account out, which begins anew; what was made stays, and the undo is over", async () => {
    const ravis = await begin(all.ravi);
    await begin(all.asha);
    const { mergeId } = await linked(all.asha, all.ravi);
    const other = (await me(all.asha))?.accounts.find(({ current }) => !current)?.id ?? "";
    expect(await unlink(all.asha, other)).toEqual({ left: 1 });
    expect(await unlink(all.asha, other)).toEqual({ left: 1 });
    expect(await me(all.ravi)).toBeNull();
    expect(await all.ravi.query(api.musicGeneration.getUserHistory, {})).toEqual([]);
    await begin(all.ravi);
    expect((await me(all.ravi))?.accounts).toHaveLength(1);
    expect((await all.asha.query(api.musicGeneration.getUserHistory, {})).map(({ _id }) => _id)).toContain(ravis);
    await all.asha.mutation(api.links.undo, { mergeId });
    expect((await me(all.asha))?.accounts).toHaveLength(1);
    expect((await notices()).at(-1)).toMatchObject({ account: "telegram:2", kind: "unlinked", details: { name: "Asha" } });
  });

  test("one may take out the account that one speaks by; never the last one, and nobody else's", async () => {
    await begin(all.asha);
    const own = (await me(all.asha))?.accounts[0]?.id ?? "";
    await refusal(unlink(all.asha, own), "last_account");
    await begin(all.ravi);
    await refusal(unlink(all.ravi, own), "not_found");
    await linked(all.asha, all.ravi);
    expect(await unlink(all.asha, own, "again")).toEqual({ left: 1 });
    expect(await me(all.asha)).toBeNull();
    expect((await me(all.ravi))?.accounts).toMatchObject([{ account: "telegram:2", current: true }]);
  });
});

test("a notice is taken by the bot that it is for, and given up after a week", async () => {
  await show(all.asha, hashOf("n"));
  await redeem(all.ravi, hashOf("n"));
  const [notice] = await notices();
  const noticeId = notice?.noticeId ?? "";
  await refusal(all.otherBot.mutation(api.notices.done, { noticeId }), "not_found");
  expect((await all.otherBot.query(api.deliveries.watch, {})).notices).toEqual([]);
  vi.advanceTimersByTime(7 * DAY_MS - 1);
  await all.backend.mutation(internal.cleanup.purgeNotices, {});
  expect(await notices()).toHaveLength(1);
  expect(await all.bot.mutation(api.notices.done, { noticeId })).toBeNull();
  expect(await all.bot.mutation(api.notices.done, { noticeId })).toBeNull();
  expect(await notices()).toEqual([]);
});

test("preferences are checked, each by what it takes", async () => {
  const set = (changes: Record<string, string | number | boolean | null>) => all.asha.mutation(api.accounts.setPreferences, { changes });
  const good = { tonic: "C#", tradition: "Carnatic", duration: 90, instrument: "veena", voice: "alto", language: "ta", place: "Chennai", timezone: "Asia/Kolkata", notifications: false };
  expect(await set(good)).toEqual(good);
  expect(await set({ tonic: null, place: "Mysuru" })).toEqual({ ...good, tonic: undefined, place: "Mysuru" });
  const bad: Record<string, string | number | boolean | null>[] = [{ tonic: "H" }, { tonic: 1 }, { tradition: "Jazz" }, { duration: 4 }, { duration: 601 }, { duration: NaN }, { duration: "90" }, { place: "" }, { place: 3 }, { place: "x".repeat(61) }, { timezone: "Mars/Base" }, { notifications: "on" }, { colour: "red" }];
  for (const changes of bad) await refusal(set(changes), "invalid");
  expect((await me(all.asha))?.user.preferences).toEqual({ ...good, tonic: undefined, place: "Mysuru" });
});
