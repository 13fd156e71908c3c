/** Errors that people report: filed within bounds, seen by who may see them, decided once. */

import type { FunctionArgs } from "convex/server";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";

import { api } from "../../convex/_generated/api.js";
import { type Caller, type World, ISSUER, chatAccount, pageFrom, raga, refusal, rows, world } from "./world.ts";

type Filed = FunctionArgs<typeof api.corrections.file>;
type Decision = Omit<FunctionArgs<typeof api.corrections.decide>, "id">;

let all: World;
let curator: Caller;
let keys = 0;
beforeEach(async () => {
  all = world();
  curator = all.backend.withIdentity({ issuer: ISSUER, subject: "discord:9", role: "user", bot: "b1", curator: true });
  await all.bot.mutation(api.catalogue.upsert, { ragas: [raga("Yaman"), raga("Durga")] });
});

function file(caller: Caller, more: Partial<Filed> = {}): Promise<string> {
  keys += 1;
  const report = { raga: "Yaman", tradition: "Hindustani", field: "vadi", text: "G3", idempotencyKey: `k${String(keys)}` } as const;
  return caller.mutation(api.corrections.file, { ...report, ...more });
}

function decide(caller: Caller, id: string, decision: Decision = { accept: true }): Promise<unknown> {
  return caller.mutation(api.corrections.decide, { id, ...decision });
}

async function textsOf(pages: Promise<{ page: { text: string }[] }>): Promise<string[]> {
  return (await pages).page.map(({ text }) => text);
}

test("a report says to its owner what, and to a curator also who", async () => {
  const id = await file(all.asha, { text: "It is Ga." });
  const shown = { id, raga: "Yaman", tradition: "Hindustani", field: "vadi", text: "It is Ga.", status: "open", createdAt: expect.any(Number) as number };
  expect((await all.asha.query(api.corrections.mine, pageFrom())).page).toEqual([shown]);
  expect((await all.ravi.query(api.corrections.mine, pageFrom())).page).toEqual([]);
  expect((await curator.query(api.corrections.list, pageFrom())).page).toEqual([{ ...shown, account: "discord:1" }]);
  expect((await all.bot.query(api.corrections.list, pageFrom())).page).toHaveLength(1);
});

test("a repeated key files once, and another person's same key is another", async () => {
  const id = await file(all.asha, { idempotencyKey: "same" });
  expect(await file(all.asha, { idempotencyKey: "same", text: "changed" })).toBe(id);
  expect(await file(all.ravi, { idempotencyKey: "same" })).not.toBe(id);
  expect(await rows(all)).toMatchObject({ corrections: 2 });
});

test("ten may be open, and a decided one makes room", async () => {
  const ids: string[] = [];
  for (let count = 0; count < 10; count += 1) ids.push(await file(all.asha));
  expect(await refusal(file(all.asha), "too_many")).toContain("10");
  await file(all.ravi);
  await decide(curator, ids[0] ?? "", { accept: false });
  await file(all.asha);
  await refusal(file(all.asha), "too_many");
});

test.each<[string, Partial<Filed>, "invalid" | "not_found"]>([
  ["a blank text", { text: " \n" }, "invalid"],
  ["a text of 501 characters", { text: "x".repeat(501) }, "invalid"],
  ["a blank key", { idempotencyKey: "" }, "invalid"],
  ["a boundless name", { raga: "x".repeat(10_000) }, "invalid"],
  ["a raga that is not there", { raga: "Yamen" }, "not_found"],
  ["a raga of the other tradition", { tradition: "Carnatic" }, "not_found"],
])("%s is refused, and nothing is kept", async (_, more, code) => {
  await refusal(file(all.asha, more), code);
  expect(await rows(all)).not.toHaveProperty("corrections");
});

test("lists: open ones oldest first, one's own newest first, page by page", async () => {
  for (const text of ["one", "two", "three"]) await file(all.asha, { text });
  const first = await curator.query(api.corrections.list, pageFrom(null, 2));
  expect(first.page.map(({ text }) => text)).toEqual(["one", "two"]);
  expect(await textsOf(curator.query(api.corrections.list, pageFrom(first.continueCursor, 2)))).toEqual(["three"]);
  expect(await textsOf(all.asha.query(api.corrections.mine, pageFrom(null, 2)))).toEqual(["three", "two"]);
});

test("a decision moves a report, tells its owner why, and can be repeated but not turned", async () => {
  const [good, bad] = [await file(all.asha, { text: "good" }), await file(all.asha, { text: "bad", field: "other" })];
  const decision = { accept: true, value: "G3", note: "Thank you." };
  const decided = await decide(curator, good, decision);
  expect(decided).toMatchObject({ id: good, status: "accepted", value: "G3", note: "Thank you.", decidedBy: "discord:9" });
  expect(await decide(all.bot, good, { accept: true, note: "again" })).toEqual(decided);
  expect(await decide(all.bot, bad, { accept: false })).toMatchObject({ status: "declined", decidedBy: "bot:b1" });
  await refusal(decide(curator, bad), "conflict");
  expect(await textsOf(curator.query(api.corrections.list, pageFrom()))).toEqual([]);
  expect(await textsOf(curator.query(api.corrections.list, { status: "declined", ...pageFrom() }))).toEqual(["bad"]);
  const { page } = await all.asha.query(api.corrections.mine, pageFrom());
  expect(page.map(({ status, note }) => [status, note])).toEqual([
    ["declined", undefined],
    ["accepted", "Thank you."],
  ]);
  expect(page[1]).not.toHaveProperty("decidedBy");
});

test("accepted ones come in the order of the decisions", async () => {
  const ids = [await file(all.asha, { text: "first filed" }), await file(all.ravi, { text: "second filed" }), await file(all.ravi, { text: "declined" })];
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  await decide(curator, ids[2] ?? "", { accept: false });
  await decide(curator, ids[1] ?? "");
  vi.advanceTimersByTime(1);
  await decide(curator, ids[0] ?? "");
  expect(await textsOf(all.bot.query(api.corrections.accepted, pageFrom()))).toEqual(["second filed", "first filed"]);
});

test("what is no report, and decisions out of bounds, are refused", async () => {
  const id = await file(all.asha);
  for (const other of ["x", "", "x".repeat(10_000)]) await refusal(decide(curator, other), "not_found");
  await refusal(decide(curator, id, { accept: false, value: "G3" }), "invalid");
  await refusal(decide(curator, id, { accept: true, value: " " }), "invalid");
  await refusal(decide(curator, id, { accept: true, note: "x".repeat(501) }), "invalid");
  await refusal(decide(all.asha, id), "forbidden");
  await refusal(decide(all.backend.withIdentity({ ...chatAccount("discord:9", "Mallory"), role: "curator" }), id), "forbidden");
  expect(await textsOf(curator.query(api.corrections.list, pageFrom()))).toEqual(["G3"]);
});
