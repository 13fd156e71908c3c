/** How a piece ends: what its row says then, how it begins anew, and what is left when somebody changed it by hand. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { api, internal } from "../../convex/_generated/api.js";
import type { Doc } from "../../convex/_generated/dataModel.js";
import { LEASE_S, METADATA, POSTED, WORKER, type PieceId, type World, begin, claimed, finished, refusal, rows, upload, world } from "./world.ts";

let all: World;
beforeEach(() => {
  vi.useFakeTimers();
  all = world();
});
afterEach(() => {
  vi.useRealTimers();
});

const row = (piece: PieceId) => all.backend.run((ctx) => ctx.db.get("musicGenerations", piece));
const byHand = (piece: PieceId, change: Partial<Doc<"musicGenerations">>) => all.backend.run((ctx) => ctx.db.patch("musicGenerations", piece, change));
const claim = () => all.worker.mutation(api.jobs.claim, { worker: WORKER, leaseS: LEASE_S });

function progress(generationId: PieceId, secondsLeft?: number) {
  const report = { generationId, worker: WORKER, attempt: 1, stage: "mix", percent: 60, leaseS: LEASE_S };
  return all.worker.mutation(api.jobs.progress, secondsLeft === undefined ? report : { ...report, secondsLeft });
}

describe("a piece that is done", () => {
  test("says when, and has no time left to wait", async () => {
    const piece = await begin(all.asha);
    await claimed(all);
    await progress(piece, 4);
    vi.advanceTimersByTime(5000);
    const handedIn = { generationId: piece, worker: WORKER, attempt: 1, audioFileId: await upload(all), metadata: METADATA };
    await all.worker.mutation(api.jobs.complete, handedIn);
    const done = await row(piece);
    expect(done).toMatchObject({ status: "completed", progress: 100, completedAt: Date.now() });
    expect(done).not.toHaveProperty("secondsLeft");
    expect((done?.completedAt ?? 0) - (done?.createdAt ?? 0)).toBeGreaterThanOrEqual(5000);
  });
});

describe("a piece that failed", () => {
  test("says when, and nothing of how far it had come; put back into the line it is as new", async () => {
    const piece = await begin(all.asha, { idempotencyKey: "event 1" });
    const asked = await row(piece);
    await claimed(all);
    await progress(piece, 4);
    const lease = { generationId: piece, worker: WORKER, attempt: 1 };
    await all.worker.mutation(api.jobs.fail, { ...lease, code: "no_sound", message: "It made no sound.", retry: false });
    const failed = await row(piece);
    expect(failed).toEqual({ ...asked, status: "failed", attempt: 1, errorCode: "no_sound", error: "It made no sound.", completedAt: Date.now() });
    await all.backend.mutation(internal.musicGeneration.processGeneration, { generationId: piece });
    expect(await row(piece)).toEqual(asked);
    expect(await claimed(all)).toMatchObject({ generationId: piece, attempt: 1 });
  });

  test("is answered to a repeat of the request that made it, and not made again", async () => {
    const piece = await begin(all.asha, { idempotencyKey: "event 1" });
    await all.asha.mutation(api.musicGeneration.cancel, {});
    expect(await begin(all.asha, { idempotencyKey: "event 1" })).toBe(piece);
    expect(await claim()).toBeNull();
  });
});

describe("a piece whose state somebody changed by hand", () => {
  test("is not given to a worker, and holds up nobody", async () => {
    const ended = await begin(all.asha);
    const next = await begin(all.asha);
    await byHand(ended, { status: "failed" });
    expect(await claimed(all)).toMatchObject({ generationId: next });
    expect(await row(ended)).toMatchObject({ status: "failed" });
    expect(await rows(all)).toMatchObject({ jobs: 1 });
  });

  test("stops the worker that makes it, whose audio is thrown away, and leaves the line with the lease", async () => {
    const piece = await begin(all.asha);
    await claimed(all);
    await byHand(piece, { status: "failed" });
    expect(await progress(piece)).toEqual({ proceed: false });
    const handedIn = { generationId: piece, worker: WORKER, attempt: 1, audioFileId: await upload(all), metadata: METADATA };
    expect(await all.worker.mutation(api.jobs.complete, handedIn)).toEqual({ accepted: false });
    vi.advanceTimersByTime(LEASE_S * 1000 + 1);
    await all.backend.mutation(internal.jobs.requeueExpired, {});
    expect(await row(piece)).toMatchObject({ status: "failed" });
    expect(await rows(all)).toEqual({ users: 1, accounts: 1, musicGenerations: 1 });
  });
});

describe("a piece that is removed", () => {
  test("takes messages of more than one transaction along", async () => {
    const { piece } = await finished(all, all.asha, { delivery: POSTED });
    await all.backend.run(async (ctx) => {
      for (let n = 2; n <= 250; n += 1) {
        await ctx.db.insert("deliveries", { ...POSTED, message: `m${String(n)}`, generationId: piece, bot: "b1", account: "discord:1", state: "done", createdAt: 0, doneAt: 0 });
      }
    });
    await all.asha.mutation(api.musicGeneration.remove, { generationId: piece });
    expect((await rows(all))["deliveries"]).toBe(150);
    await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await rows(all)).toEqual({ users: 1, accounts: 1, replays: 1 });
  });

  test("leaves other pieces, their audio, messages and hearts as they were", async () => {
    const other = await finished(all, all.asha, { delivery: { ...POSTED, message: "m2" } });
    await all.asha.mutation(api.musicGeneration.toggleFavorite, { generationId: other.piece });
    const before = [await rows(all), await row(other.piece)];
    const { piece } = await finished(all, all.asha, { delivery: POSTED });
    await all.asha.mutation(api.musicGeneration.toggleFavorite, { generationId: piece });
    await all.asha.mutation(api.musicGeneration.remove, { generationId: piece });
    expect([{ ...before[0], replays: 1 }, before[1]]).toEqual([await rows(all), await row(other.piece)]);
    expect(await all.asha.query(api.files.getFileUrl, { storageId: other.audio })).not.toBeNull();
  });
});

test("a piece is posted by a bot alone", async () => {
  const alone = all.backend.withIdentity({ issuer: "https://accounts.test", subject: "u1", name: "Mira" });
  await refusal(begin(alone, { delivery: POSTED }), "forbidden");
  expect(await rows(all)).toEqual({});
  await begin(alone);
  expect(await rows(all)).toEqual({ users: 1, accounts: 1, musicGenerations: 1, jobs: 1 });
});
