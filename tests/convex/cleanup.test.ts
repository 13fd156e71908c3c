/** What time takes away, and what runs by the clock. */

import { type FunctionReference, makeFunctionReference } from "convex/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { api, internal } from "../../convex/_generated/api.js";
import crons from "../../convex/crons.ts";
import { DAY_MS, POSTED, type World, begin, finished, refusal, rows, upload, world } from "./world.ts";

let all: World;
beforeEach(() => {
  vi.useFakeTimers();
  all = world();
});
afterEach(() => {
  vi.useRealTimers();
});

async function run(job: FunctionReference<"mutation", "internal">): Promise<void> {
  await all.backend.mutation(job, {});
  await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
}

test("crons run every sweep there is, by functions that take no arguments", async () => {
  const jobs = Object.values(crons.crons);
  expect(jobs.map(({ name, schedule }) => [name, schedule])).toEqual([
    ["jobs:requeueExpired", { type: "interval", minutes: 2 }],
    ["cleanup:purgeReplays", { type: "interval", hours: 6 }],
    ["cleanup:purgeDeliveries", { type: "interval", hours: 12 }],
    ["cleanup:purgeFiles", { type: "interval", hours: 24 }],
    ["cleanup:purgeLinks", { type: "interval", hours: 6 }],
    ["cleanup:settleMerges", { type: "interval", hours: 1 }],
    ["cleanup:purgeNotices", { type: "interval", hours: 24 }],
    ["cleanup:purgeAllowances", { type: "interval", hours: 24 }],
    ["cleanup:purgeInvites", { type: "interval", hours: 24 }],
    ["cleanup:purgeAudit", { type: "interval", hours: 24 }],
    ["privacy:resume", { type: "interval", minutes: 15 }],
  ]);
  expect(jobs.map(({ args }) => args)).toEqual(jobs.map(() => [{}]));
  for (const { name } of jobs) expect(await all.backend.mutation(makeFunctionReference<"mutation">(name), {})).toBeNull();
});

describe("idempotency keys", () => {
  test("are forgotten after seven days and not before", async () => {
    const piece = await begin(all.asha);
    const toggle = () => all.asha.mutation(api.musicGeneration.toggleFavorite, { generationId: piece, idempotencyKey: "event 1" });
    expect(await toggle()).toBe(true);
    vi.advanceTimersByTime(7 * DAY_MS);
    await run(internal.cleanup.purgeReplays);
    expect(await toggle()).toBe(true);
    expect(await rows(all)).toMatchObject({ replays: 1, favorites: 1 });
    vi.advanceTimersByTime(1);
    await run(internal.cleanup.purgeReplays);
    expect(await rows(all)).not.toHaveProperty("replays");
    expect(await toggle()).toBe(false);
  });

  test("more than fit into one transaction all go", async () => {
    await all.backend.run(async (ctx) => {
      const userId = await ctx.db.insert("users", { createdAt: 0 });
      for (let n = 0; n < 450; n += 1) await ctx.db.insert("replays", { userId, key: `favorite:${String(n)}`, result: true, createdAt: n });
      await ctx.db.insert("replays", { userId, key: "favorite:new", result: true, createdAt: Date.now() });
    });
    await run(internal.cleanup.purgeReplays);
    expect(await rows(all)).toEqual({ users: 1, replays: 1 });
  });
});

describe("deliveries", () => {
  const states = () => all.backend.run(async (ctx) => (await ctx.db.query("deliveries").collect()).map(({ message, state }) => `${message} ${state}`));

  test("those shown are forgotten after ninety days, those that nobody could show are given up after seven", async () => {
    await begin(all.asha, { delivery: POSTED });
    const [shown] = (await all.bot.query(api.deliveries.watch, {})).deliveries;
    if (shown !== undefined) await all.bot.mutation(api.deliveries.done, { deliveryId: shown.deliveryId });
    vi.advanceTimersByTime(1000);
    await begin(all.asha, { delivery: { ...POSTED, message: "m2" } });
    vi.advanceTimersByTime(7 * DAY_MS);
    await run(internal.cleanup.purgeDeliveries);
    expect(await states()).toEqual(["m1 done", "m2 open"]);
    vi.advanceTimersByTime(1);
    await run(internal.cleanup.purgeDeliveries);
    expect(await states()).toEqual(["m1 done", "m2 done"]);
    expect((await all.bot.query(api.deliveries.watch, {})).deliveries).toEqual([]);
    vi.advanceTimersByTime(83 * DAY_MS - 1001);
    await run(internal.cleanup.purgeDeliveries);
    expect(await states()).toEqual(["m1 done", "m2 done"]);
    vi.advanceTimersByTime(1);
    await run(internal.cleanup.purgeDeliveries);
    expect(await states()).toEqual(["m2 done"]);
    vi.advanceTimersByTime(7 * DAY_MS + 1001);
    await run(internal.cleanup.purgeDeliveries);
    expect(await states()).toEqual([]);
    expect(await rows(all)).toMatchObject({ musicGenerations: 2 });
  });

  test.each<[string, { state: "done" | "open"; doneAt?: number }, number]>([
    ["shown", { state: "done", doneAt: 0 }, 0],
    ["not to be shown", { state: "open" }, 450],
  ])("of those %s all go, also more than fit into one transaction", async (_, delivery, left) => {
    const piece = await begin(all.asha);
    await all.backend.run(async (ctx) => {
      for (let n = 0; n < 450; n += 1) await ctx.db.insert("deliveries", { ...POSTED, generationId: piece, bot: "b1", account: "discord:1", createdAt: 0, ...delivery });
    });
    vi.advanceTimersByTime(8 * DAY_MS);
    await run(internal.cleanup.purgeDeliveries);
    expect(await states()).toEqual(Array.from({ length: left }, () => "m1 done"));
  });
});

describe("files", () => {
  test("an upload that no piece took up goes after a day, a piece's audio never", async () => {
    const { audio } = await finished(all, all.asha);
    await upload(all);
    vi.advanceTimersByTime(DAY_MS);
    await run(internal.cleanup.purgeFiles);
    expect(await rows(all)).toMatchObject({ _storage: 2 });
    vi.advanceTimersByTime(10);
    const fresh = await upload(all);
    await run(internal.cleanup.purgeFiles);
    expect(await all.backend.run(async (ctx) => (await ctx.db.system.query("_storage").collect()).map(({ _id }) => _id))).toEqual([audio, fresh]);
    expect(await all.asha.query(api.files.getFileUrl, { storageId: audio })).not.toBeNull();
  });

  test("all are looked at, page after page, each page of the same question", async () => {
    const { audio } = await finished(all, all.asha);
    await all.backend.run(async (ctx) => {
      for (let n = 0; n < 450; n += 1) await ctx.storage.store(new Blob(["lost"]));
    });
    vi.advanceTimersByTime(2 * DAY_MS);
    const before = Date.now() - DAY_MS;
    await all.backend.mutation(internal.cleanup.purgeFiles, {});
    vi.advanceTimersByTime(5000);
    await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await all.backend.run(async (ctx) => (await ctx.db.system.query("_storage").collect()).map(({ _id }) => _id))).toEqual([audio]);
    const pages = await all.backend.run(async (ctx) => (await ctx.db.system.query("_scheduled_functions").collect()).map(({ args }) => (args[0] as { from: { before: number } }).from.before));
    expect(pages).toEqual([before, before]);
  });
});

test("after time and its owner have done their work nothing of a piece is left", async () => {
  const { piece } = await finished(all, all.asha, { delivery: POSTED, idempotencyKey: "event 1" });
  await all.asha.mutation(api.favorites.set, { generationId: piece, on: true, idempotencyKey: "press 1" });
  await upload(all);
  await all.asha.mutation(api.musicGeneration.remove, { generationId: piece });
  vi.advanceTimersByTime(8 * DAY_MS);
  for (const job of [internal.jobs.requeueExpired, internal.cleanup.purgeReplays, internal.cleanup.purgeDeliveries, internal.cleanup.purgeFiles]) await run(job);
  expect(await rows(all)).toEqual({ users: 1, accounts: 1 });
  await refusal(all.asha.mutation(api.musicGeneration.remove, { generationId: piece }), "not_found");
});
