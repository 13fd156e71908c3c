/** Having all that is one's own deleted, and having a copy of it. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { api, internal } from "../../convex/_generated/api.js";
import schema from "../../convex/schema.ts";
import { newToken } from "./public_functions.ts";
import { DAY_MS, PLACE, POSTED, REQUEST, WORKER, METADATA, type Caller, type World, begin, chatAccount, claimed, finished, pageFrom, raga, refusal, upload, world } from "./world.ts";

let all: World;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  all = world();
});
afterEach(() => {
  vi.useRealTimers();
});

const HASH = "5".repeat(64);

/** Everything that there is, as one text; and how many files. */
function everything(): Promise<{ text: string; files: number }> {
  return all.backend.run(async (ctx) => {
    const found: Record<string, unknown[]> = {};
    for (const table of Object.keys(schema.tables) as (keyof typeof schema.tables)[]) found[table] = await ctx.db.query(table).collect();
    return { text: JSON.stringify(found), files: (await ctx.db.system.query("_storage").collect()).length };
  });
}

const deleteAsha = async (): Promise<void> => {
  expect(await all.asha.mutation(api.privacy.deleteMe, {})).toEqual({ deleting: true });
  await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
};

test("a full scan finds nothing of somebody who had everything deleted, and all of everybody else", async () => {
  await all.bot.mutation(api.catalogue.upsert, { ragas: [raga("Durga")] });
  const { piece: ravis } = await finished(all, all.ravi, { delivery: { ...POSTED, message: "m9" } });
  const userId = await all.backend.run(async (ctx) => {
    await ctx.db.insert("users", { email: "ravi@example.org", createdAt: 1 });
    return null;
  });
  expect(userId).toBeNull();
  for (let number = 0; number < 3; number += 1) await finished(all, all.asha, { delivery: { ...POSTED, message: `m${String(number)}` }, idempotencyKey: `secret-key-${String(number)}` });
  await begin(all.asha, { delivery: { ...POSTED, message: "m5" } });
  const own = (await all.asha.query(api.musicGeneration.getUserHistory, {}))[0];
  await all.asha.mutation(api.favorites.set, { raga: "Durga", tradition: "Hindustani", on: true, idempotencyKey: "asha-heart" });
  await all.asha.mutation(api.favorites.set, { generationId: ravis, on: true, idempotencyKey: "asha-other", place: PLACE });
  await all.ravi.mutation(api.favorites.set, { generationId: own?._id ?? "", on: true, idempotencyKey: "ravi-heart", place: PLACE });
  await all.asha.mutation(api.corrections.file, { raga: "Durga", tradition: "Hindustani", field: "vadi", text: "Words of Asha.", idempotencyKey: "asha-report" });
  await all.asha.mutation(api.accounts.setPreferences, { changes: { place: "Ashatown" } });
  await all.asha.mutation(api.links.begin, { hash: HASH, kind: "code" });
  const user = (await all.asha.query(api.accounts.me, {}))?.user.id ?? "";
  const before = await everything();
  expect(before.text).toContain(user);
  expect(before.files).toBe(4);

  await deleteAsha();
  const [notice] = (await all.bot.query(api.deliveries.watch, {})).notices;
  expect(notice).toMatchObject({ account: "discord:1", kind: "deleted", details: {} });
  await all.bot.mutation(api.notices.done, { noticeId: notice?.noticeId ?? "" });
  const after = await everything();
  for (const trace of [user, "discord:1", "Asha", "asha", "Ashatown", "secret-key", HASH, own?._id ?? "x"]) {
    expect(after.text, trace).not.toContain(trace);
  }
  expect(after.files).toBe(1);
  expect((await all.ravi.query(api.musicGeneration.getUserHistory, {})).map(({ _id }) => _id)).toEqual([ravis]);
  // Somebody new, who may begin at once.
  expect(await all.asha.query(api.accounts.me, {})).toBeNull();
  await begin(all.asha);
  expect((await all.asha.query(api.accounts.me, {}))?.user.id).not.toBe(user);
});

test("links, playlists, and what groups know of somebody go too; a ban stays as a hash", async () => {
  const share = async (caller: Caller, generationId: string) => (await caller.mutation(api.shares.create, { generationId, token: newToken(), idempotencyKey: newToken() })).token;
  const playlist = async (caller: Caller, name: string) => (await caller.mutation(api.playlists.create, { name, idempotencyKey: newToken() })).playlistId;
  const join = async (caller: Caller, owner: Caller, playlistId: string) => {
    const { token } = await owner.mutation(api.playlists.invite, { playlistId, role: "editor", token: newToken() });
    await caller.mutation(api.playlists.join, { token });
  };
  const { piece: ashas } = await finished(all, all.asha, { delivery: { ...POSTED, group: "g1" } });
  const { piece: ravis } = await finished(all, all.ravi);
  await all.asha.mutation(api.musicGeneration.rename, { generationId: ashas, title: "Ashasong" });
  const [own, other] = [await share(all.asha, ashas), await share(all.ravi, ravis)];
  await all.ravi.mutation(api.shares.open, { token: own });
  await all.asha.mutation(api.shares.open, { token: other });
  const [hers, his] = [await playlist(all.asha, "Ashalist"), await playlist(all.ravi, "Rains")];
  await join(all.ravi, all.asha, hers);
  await join(all.asha, all.ravi, his);
  for (const playlistId of [hers, his]) {
    await all.asha.mutation(api.playlists.add, { playlistId, generationId: ashas });
    await all.ravi.mutation(api.playlists.add, { playlistId, generationId: ravis });
  }
  await begin(all.ravi, { request: { ...REQUEST, after: ashas } });
  // She looks after a group, and is banned by who looks after another.
  const asAdmin = (subject: string, name: string, group: string) => all.backend.withIdentity({ ...chatAccount(subject, name), admin: `discord:${group}` });
  await asAdmin("discord:1", "Asha", "g1").mutation(api.groups.configure, { guild: "g1", changes: { perHour: 9 }, idempotencyKey: "c" });
  await asAdmin("discord:50", "Guru", "g2").mutation(api.groups.ban, { guild: "g2", account: "discord:1", name: "Asha", idempotencyKey: "b" });
  const user = (await all.asha.query(api.accounts.me, {}))?.user.id ?? "";

  await deleteAsha();
  for (const { noticeId } of (await all.bot.query(api.deliveries.watch, {})).notices) await all.bot.mutation(api.notices.done, { noticeId });
  const { text } = await everything();
  for (const trace of [user, "discord:1\"", "Asha", ashas, own, hers]) expect(text, trace).not.toContain(trace);
  expect(await all.ravi.query(api.playlists.mine, {})).toMatchObject([{ name: "Rains" }]);
  expect((await all.ravi.query(api.playlists.show, { playlistId: his, ...pageFrom() })).entries.page).toMatchObject([{ piece: { id: ravis } }]);
  const left = await all.bot.query(api.groups.auditAll, pageFrom());
  expect(left.page.map(({ action, by, whom }) => [action, by, whom])).toEqual([
    ["banned", { platform: "discord", name: "Guru" }, undefined],
    ["configured", null, undefined],
  ]);
  expect((await all.bot.query(api.groups.rules, {})).groups).toMatchObject([{ guild: "g1" }, { guild: "g2", banned: [expect.stringMatching(/^[0-9a-f]{64}$/)] }]);
});

test("what an account that was taken out had made stays with the other, without its name", async () => {
  await begin(all.asha);
  await begin(all.ravi, { delivery: { ...POSTED, platform: "telegram", message: "m8" } });
  await all.asha.mutation(api.links.begin, { hash: HASH, kind: "code" });
  const { linkId } = (await all.ravi.mutation(api.links.redeem, { hash: HASH })) as { linkId: string };
  for (const caller of [all.asha, all.ravi]) await caller.mutation(api.links.confirm, { linkId });
  const id = (await all.asha.query(api.accounts.me, {}))?.accounts.find(({ current }) => !current)?.id ?? "";
  await all.asha.mutation(api.accounts.unlink, { id, idempotencyKey: "u" });
  await all.ravi.mutation(api.accounts.setPreferences, { changes: { tonic: "D" } });
  await all.ravi.mutation(api.privacy.deleteMe, {});
  await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
  for (const { noticeId } of (await all.bot.query(api.deliveries.watch, {})).notices) await all.bot.mutation(api.notices.done, { noticeId });
  expect((await everything()).text).not.toMatch(/telegram:2|Ravi/);
  expect(await all.asha.query(api.musicGeneration.getUserHistory, {})).toHaveLength(2);
});

test("both accounts of a person are told, and what was put together goes together", async () => {
  await finished(all, all.asha);
  await finished(all, all.ravi);
  await all.asha.mutation(api.links.begin, { hash: HASH, kind: "code" });
  const { linkId } = (await all.ravi.mutation(api.links.redeem, { hash: HASH })) as { linkId: string };
  for (const caller of [all.asha, all.ravi]) await caller.mutation(api.links.confirm, { linkId });
  await deleteAsha();
  const { notices } = await all.bot.query(api.deliveries.watch, {});
  expect(notices.map(({ account, kind }) => [account, kind]).sort()).toEqual([
    ["discord:1", "deleted"],
    ["telegram:2", "deleted"],
  ]);
  for (const { noticeId } of notices) await all.bot.mutation(api.notices.done, { noticeId });
  expect(await everything()).toEqual({ text: JSON.stringify(Object.fromEntries(Object.keys(schema.tables).map((table) => [table, []]))), files: 0 });
});

test("until it is done everything else is refused, and what is being made of theirs is thrown away", async () => {
  await begin(all.asha);
  const { generationId, attempt } = await claimed(all);
  const audio = await upload(all);
  await all.asha.mutation(api.privacy.deleteMe, {});
  expect(await all.asha.mutation(api.privacy.deleteMe, {})).toEqual({ deleting: true });
  await refusal(begin(all.asha), "deleting");
  await refusal(all.asha.query(api.musicGeneration.getUserHistory, {}), "deleting");
  await refusal(all.asha.mutation(api.links.begin, { hash: HASH, kind: "code" }), "deleting");
  expect((await all.asha.query(api.accounts.me, {}))?.deleting).toBe(true);
  const handedIn = { generationId, worker: WORKER, attempt, audioFileId: audio, metadata: METADATA };
  expect(await all.worker.mutation(api.jobs.complete, handedIn)).toEqual({ accepted: false });
  await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
  expect((await everything()).files).toBe(0);
});

test("a deletion that stands still is taken up again", async () => {
  await begin(all.asha);
  await all.backend.run(async (ctx) => {
    const [user] = await ctx.db.query("users").collect();
    if (user !== undefined) await ctx.db.patch("users", user._id, { deletingAt: Date.now() - 11 * 60_000 });
  });
  await all.backend.mutation(internal.privacy.resume, {});
  await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
  expect(await all.asha.query(api.accounts.me, {})).toBeNull();
});

test("somebody of whom nothing is kept has nothing to delete", async () => {
  expect(await all.asha.mutation(api.privacy.deleteMe, {})).toEqual({ deleting: false });
});

test("what the older application knew of a person goes too", async () => {
  const docs = await all.backend.run(async (ctx) => {
    const userId = await ctx.db.insert("users", { email: "old@example.org", name: "Old", createdAt: 1 });
    const file = await ctx.storage.store(new Blob(["her words"]));
    const legacy = await ctx.db.insert("legacy", { source: "old", table: "users", legacyId: "7", file });
    const origin = { run: "r", source: "old", table: "users", legacyId: "7", how: "created" as const, checksum: "c" };
    const migratedId = await ctx.db.insert("migrated", { ...origin, target: "users", docId: userId });
    await ctx.db.insert("migrated", { ...origin, target: "legacy", docId: legacy });
    await ctx.db.insert("migrationUndo", { run: "r", migratedId, checksum: "c", doc: { email: "older@example.org" } });
    await ctx.db.insert("migrationFiles", { file, docId: legacy });
    return userId;
  });
  const back = all.backend.withIdentity({ issuer: "https://accounts.test", subject: "u1", email: "old@example.org", emailVerified: true });
  expect((await back.query(api.accounts.me, {}))?.user.id).toBe(docs);
  await back.mutation(api.privacy.deleteMe, {});
  await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
  const { text, files } = await everything();
  expect(text).not.toMatch(/old@|older@|"Old"/);
  expect(files).toBe(0);
});

test("so does what it knew of somebody who has become part of another since, and a rollback does not touch that other", async () => {
  await begin(all.asha);
  await all.backend.run(async (ctx) => {
    const userId = await ctx.db.insert("users", { email: "old@example.org", name: "Old", createdAt: Date.now() + 1 });
    const legacy = await ctx.db.insert("legacy", { source: "old", table: "users", legacyId: "7", json: JSON.stringify({ phone: "old@phone" }) });
    const origin = { run: "r", source: "old", table: "users", legacyId: "7", how: "created" as const, checksum: "c" };
    const migratedId = await ctx.db.insert("migrated", { ...origin, target: "users", docId: userId });
    await ctx.db.insert("migrated", { ...origin, target: "legacy", docId: legacy });
    await ctx.db.insert("migrationUndo", { run: "r2", migratedId, checksum: "c", doc: { email: "older@example.org" } });
  });
  const back = all.backend.withIdentity({ issuer: "https://accounts.test", subject: "u1", email: "old@example.org", emailVerified: true });
  await all.asha.mutation(api.links.begin, { hash: HASH, kind: "code" });
  const { linkId } = (await back.mutation(api.links.redeem, { hash: HASH })) as { linkId: string };
  for (const caller of [back, all.asha]) await caller.mutation(api.links.confirm, { linkId });
  vi.advanceTimersByTime(DAY_MS + 1);
  await all.backend.mutation(internal.cleanup.settleMerges, {});
  await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
  const before = await all.asha.query(api.accounts.me, {});
  expect(before?.user.email).toBe("old@example.org");
  // Who signs in with that address from elsewhere is the same person still.
  const elsewhere = all.backend.withIdentity({ issuer: "https://accounts.test", subject: "u2", email: "old@example.org", emailVerified: true });
  expect((await elsewhere.query(api.accounts.me, {}))?.user.id).toBe(before?.user.id);
  await all.bot.mutation(api.migration.rollback, { run: "r2" });
  expect((await all.asha.query(api.accounts.me, {}))?.user).toEqual(before?.user);
  await deleteAsha();
  expect((await everything()).text).not.toMatch(/old@|older@|"Old"/);
});

describe("a copy", () => {
  test("has what is the caller's, and no id of anybody", async () => {
    await all.bot.mutation(api.catalogue.upsert, { ragas: [raga("Durga")] });
    const { piece, audio } = await finished(all, all.asha);
    await finished(all, all.ravi);
    await all.asha.mutation(api.favorites.set, { raga: "Durga", tradition: "Hindustani", on: true, idempotencyKey: "1" });
    await all.asha.mutation(api.corrections.file, { raga: "Durga", tradition: "Hindustani", field: "vadi", text: "It is Ma.", idempotencyKey: "2" });
    const page = async (section: "pieces" | "favorites" | "corrections") => (await all.asha.query(api.privacy.page, { section, ...pageFrom() })).page;
    expect(await page("pieces")).toMatchObject([{ id: piece, audioFileId: audio, status: "completed", request: { mood: "calm" } }]);
    expect(await page("favorites")).toMatchObject([{ kind: "raga", raga: "Durga" }]);
    expect(await page("corrections")).toMatchObject([{ text: "It is Ma.", status: "open" }]);
    const user = (await all.asha.query(api.accounts.me, {}))?.user.id ?? "";
    expect(JSON.stringify([await page("pieces"), await page("favorites"), await page("corrections")])).not.toContain(user);
    const shared = await all.asha.mutation(api.shares.create, { generationId: piece, token: newToken(), idempotencyKey: "3" });
    const { playlistId } = await all.asha.mutation(api.playlists.create, { name: "Mornings", idempotencyKey: "4" });
    await all.asha.mutation(api.playlists.add, { playlistId, generationId: piece });
    const rest = async (section: "shares" | "opened" | "playlists" | "entries") => (await all.asha.query(api.privacy.page, { section, ...pageFrom() })).page;
    expect(await rest("shares")).toMatchObject([{ title: "Yaman", token: shared.token }]);
    expect(await rest("opened")).toEqual([]);
    expect(await rest("playlists")).toMatchObject([{ name: "Mornings", role: "owner", owner: { name: "Asha" } }]);
    expect(await rest("entries")).toMatchObject([{ playlist: "Mornings", title: "Yaman" }]);
    expect((await all.backend.withIdentity({ issuer: "https://x.test", subject: "n" }).query(api.privacy.page, { section: "pieces", ...pageFrom() })).page).toEqual([]);
  });
});
