/** Letting others hear a piece by a link, taking that back, and whose piece was made after whose. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { api } from "../../convex/_generated/api.js";
import { newToken } from "./public_functions.ts";
import { PLACE, POSTED, REQUEST, type Caller, type PieceId, type World, begin, chatAccount, finished, pageFrom, refusal, rows, world } from "./world.ts";

const MINUTE_MS = 60_000;
let all: World;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  all = world();
});
afterEach(() => {
  vi.useRealTimers();
});

const share = (caller: Caller, generationId: string, token = newToken(), idempotencyKey = token) => caller.mutation(api.shares.create, { generationId, token, idempotencyKey });
const open = (caller: Caller, token: string) => caller.mutation(api.shares.open, { token });
const revoke = (caller: Caller, generationId: string) => caller.mutation(api.shares.revoke, { generationId });
const get = (caller: Caller, generationId: string) => caller.query(api.musicGeneration.get, { generationId });
const settled = () => all.backend.finishAllScheduledFunctions(vi.runAllTimers);
const person = (subject: string, name: string): Caller => all.backend.withIdentity(chatAccount(subject, name));

test("who opens a link may see, hear, keep and vary the piece, and is told whose it is", async () => {
  const { piece, audio } = await finished(all, all.asha);
  await refusal(get(all.ravi, piece), "not_found");
  const { token } = await share(all.asha, piece);
  await refusal(get(all.ravi, piece), "not_found"); // nobody sees it before they open it
  const opened = await open(all.ravi, token);
  expect(opened).toMatchObject({ status: "ok", by: { platform: "discord", name: "Asha" }, piece: { id: piece, own: false, favorite: false } });
  expect(await open(all.ravi, token)).toEqual(opened); // opened twice is opened once
  expect(await get(all.ravi, piece)).toMatchObject({ id: piece, own: false });
  expect(await all.ravi.query(api.files.getFileUrl, { storageId: audio })).toMatch(/^https?:/);
  const varied = await begin(all.ravi, { request: { ...REQUEST, after: piece } });
  expect(await get(all.ravi, varied)).toMatchObject({ after: true, request: { after: piece } });
  await all.ravi.mutation(api.favorites.set, { generationId: piece, on: true, idempotencyKey: "heart" });
  expect(JSON.stringify(opened)).not.toMatch(/discord:1|telegram:2/);
  expect((await rows(all))["shareGuests"]).toBe(1);
});

test("the owner sees that a piece is shared, and others do not; their list has every link", async () => {
  const { piece } = await finished(all, all.asha);
  await finished(all, all.asha);
  const { token } = await share(all.asha, piece);
  await open(all.ravi, token);
  expect((await get(all.asha, piece)).shared).toBe(true);
  expect((await get(all.ravi, piece)).shared).toBeUndefined();
  expect(await open(all.asha, token)).toMatchObject({ status: "ok", piece: { own: true } });
  expect((await all.asha.query(api.shares.mine, pageFrom())).page).toMatchObject([{ token, piece: { id: piece } }]);
  expect((await all.ravi.query(api.shares.mine, pageFrom())).page).toEqual([]);
  expect((await person("web:9", "New").query(api.shares.mine, pageFrom())).page).toEqual([]);
  expect(await all.asha.query(api.musicGeneration.getUserHistory, {})).toMatchObject([{}, { _id: piece, shared: true }]);
});

test("a link that is revoked opens nothing any more; what was kept stays to be seen", async () => {
  const { piece, audio } = await finished(all, all.asha);
  const { token } = await share(all.asha, piece);
  const mira = person("discord:7", "Mira");
  for (const guest of [all.ravi, mira]) await open(guest, token);
  await all.ravi.mutation(api.favorites.set, { generationId: piece, on: true, idempotencyKey: "heart" });
  await revoke(all.asha, piece);
  await revoke(all.asha, piece);
  await refusal(get(mira, piece), "not_found"); // at once, before any row of theirs has gone
  await refusal(mira.query(api.files.getFileUrl, { storageId: audio }), "not_found");
  expect(await get(all.ravi, piece)).toMatchObject({ favorite: true });
  expect(await open(mira, token)).toEqual({ status: "unknown" });
  await settled();
  expect((await rows(all))["shareGuests"]).toBeUndefined();
  expect((await get(all.asha, piece)).shared).toBeUndefined();
});

test("a new link lets nobody in again who had opened the old one", async () => {
  const { piece } = await finished(all, all.asha);
  const first = await share(all.asha, piece);
  await open(all.ravi, first.token);
  await revoke(all.asha, piece);
  const second = await share(all.asha, piece);
  expect(second.token).not.toBe(first.token);
  await refusal(get(all.ravi, piece), "not_found");
  await open(all.ravi, second.token);
  expect(await get(all.ravi, piece)).toMatchObject({ id: piece });
  await settled(); // the sweep of the old link does not take the new one's guest
  expect(await get(all.ravi, piece)).toMatchObject({ id: piece });
});

test("a piece has one link, and a late repeat does not open again what was revoked", async () => {
  const { piece } = await finished(all, all.asha);
  const token = newToken();
  expect(await share(all.asha, piece, token, "key")).toEqual({ token });
  expect(await share(all.asha, piece, newToken(), "another key")).toEqual({ token });
  await revoke(all.asha, piece);
  expect(await share(all.asha, piece, token, "key")).toEqual({ token });
  expect(await open(all.ravi, token)).toEqual({ status: "unknown" });
});

test("only a finished piece of one's own is shared, by a token of 128 bits that nothing else has", async () => {
  const unfinished = await begin(all.asha);
  await refusal(share(all.asha, unfinished), "invalid");
  await all.asha.mutation(api.musicGeneration.cancel, {});
  const { piece } = await finished(all, all.asha);
  await all.ravi.mutation(api.accounts.setPreferences, { changes: { tonic: "D" } });
  await refusal(share(all.ravi, piece), "not_found");
  await refusal(share(all.asha, "x"), "not_found");
  for (const token of ["", "short", "x".repeat(21), "x".repeat(23), `${"x".repeat(21)}/`, `${"x".repeat(21)}=`]) {
    await refusal(share(all.asha, piece, token, "key"), "invalid");
    await refusal(open(all.ravi, token), "invalid");
  }
  const { token } = await share(all.asha, piece);
  const other = await finished(all, all.asha);
  await refusal(share(all.asha, other.piece, token, "other"), "invalid");
});

test("wrong tokens are counted, and end in a pause that ends", async () => {
  const { piece } = await finished(all, all.asha);
  const { token } = await share(all.asha, piece);
  for (let guess = 0; guess < 10; guess += 1) expect(await open(all.ravi, newToken())).toEqual({ status: "unknown" });
  expect(await open(all.ravi, newToken())).toEqual({ status: "paused", until: Date.now() + MINUTE_MS });
  vi.advanceTimersByTime(MINUTE_MS);
  expect(await open(all.ravi, token)).toMatchObject({ status: "ok" });
  expect(await open(person("discord:7", "Mira"), token)).toMatchObject({ status: "ok" });
});

test("a piece goes with its link, its guests and its place in what was made after it", async () => {
  const { piece } = await finished(all, all.asha);
  const { token } = await share(all.asha, piece);
  await open(all.ravi, token);
  const varied = await begin(all.ravi, { request: { ...REQUEST, after: piece } });
  await all.asha.mutation(api.musicGeneration.remove, { generationId: piece });
  const left = await rows(all);
  expect([left["shares"], left["shareGuests"]]).toEqual([undefined, undefined]);
  const { request, after } = await get(all.ravi, varied);
  expect([request.after, after]).toEqual([undefined, undefined]);
});

test("who is banned everywhere neither shares nor opens anything, by none of their accounts", async () => {
  const { piece } = await finished(all, all.asha);
  const { token } = await share(all.asha, piece);
  await all.bot.mutation(api.groups.banEverywhere, { account: "telegram:2" });
  await refusal(open(all.ravi, token), "forbidden");
  await all.bot.mutation(api.groups.unbanEverywhere, { account: "telegram:2" });
  expect(await open(all.ravi, token)).toMatchObject({ status: "ok" });
});

describe("a name of one's own", () => {
  test("stands in every view, and goes again", async () => {
    const { piece } = await finished(all, all.asha);
    const rename = (caller: Caller, title: string | null, generationId: string = piece) => caller.mutation(api.musicGeneration.rename, { generationId, title });
    expect(await rename(all.asha, "  Rain   at\ndusk ")).toMatchObject({ id: piece, title: "Rain at dusk", own: true });
    expect(await get(all.asha, piece)).toMatchObject({ title: "Rain at dusk", metadata: { title: "Yaman" } });
    expect((await all.asha.query(api.musicGeneration.history, pageFrom())).page).toMatchObject([{ title: "Rain at dusk" }]);
    expect((await rename(all.asha, null)).title).toBeUndefined();
    for (const title of ["", "   ", "x".repeat(101)]) await refusal(rename(all.asha, title), "invalid");
    await begin(all.ravi);
    await refusal(rename(all.ravi, "Mine"), "not_found");
    await refusal(rename(all.asha, "Mine", "x"), "not_found");
  });
});

describe("the chain", () => {
  const chain = (caller: Caller, generationId: string, place?: { platform: string; chat: string }) =>
    caller.query(api.musicGeneration.chain, { generationId, ...(place === undefined ? {} : { place }) });

  test("goes back to the first piece, and says whose each was and no more than one may know", async () => {
    const { piece: first } = await finished(all, all.asha);
    await all.asha.mutation(api.musicGeneration.rename, { generationId: first, title: "For my mother" });
    const { piece: second } = await finished(all, all.asha, { request: { ...REQUEST, after: first } });
    const { token } = await share(all.asha, second);
    await open(all.ravi, token);
    const { piece: third } = await finished(all, all.ravi, { request: { ...REQUEST, after: second } });
    expect(await chain(all.ravi, third)).toEqual([
      { title: "Yaman", by: { platform: "telegram", name: "Ravi" }, own: true, generationId: third },
      { title: "Yaman", by: { platform: "discord", name: "Asha" }, own: false, generationId: second },
      { title: "Yaman", by: { platform: "discord", name: "Asha" }, own: false }, // private: neither its id nor its name
    ]);
    expect((await chain(all.asha, second)).map(({ title }) => title)).toEqual(["Yaman", "For my mother"]);
    await refusal(chain(all.asha, third), "not_found");
  });

  test("is shown in the place where its piece was posted, and twenty long at most", async () => {
    const ids: PieceId[] = [];
    for (let number = 0; number < 20; number += 1) {
      const after = ids.at(-1);
      ids.push((await finished(all, all.asha, { delivery: { ...POSTED, message: `m${String(number)}` }, request: { ...REQUEST, ...(after === undefined ? {} : { after }) } })).piece);
    }
    vi.advanceTimersByTime(60 * MINUTE_MS);
    const { piece } = await finished(all, all.asha, { delivery: { ...POSTED, message: "last" }, request: { ...REQUEST, after: ids.at(-1) ?? "" } });
    const shown = await chain(all.ravi, piece, PLACE);
    expect(shown.map(({ generationId }) => generationId)).toEqual([piece, ...ids.reverse().slice(0, 19)]);
  });
});
