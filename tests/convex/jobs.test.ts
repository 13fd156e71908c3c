/** The queue as workers use it: who makes what, for how long, how often. */

import { beforeEach, describe, expect, test, vi } from "vitest";

import { api, internal } from "../../convex/_generated/api.js";
import { LEASE_S, METADATA, OTHER_WORKER, WORKER, type FileId, type PieceId, type World, begin, claimed, finished, refusal, rows, upload, world } from "./world.ts";

let all: World;
beforeEach(() => {
  all = world();
  return () => vi.useRealTimers();
});

const view = (generationId: string) => all.asha.query(api.musicGeneration.get, { generationId });
const claim = (holds?: PieceId[], leaseS = LEASE_S) => all.worker.mutation(api.jobs.claim, holds === undefined ? { worker: WORKER, leaseS } : { worker: WORKER, leaseS, holds });
const otherClaim = () => all.otherWorker.mutation(api.jobs.claim, { worker: OTHER_WORKER, leaseS: LEASE_S });
const leaseOf = (generationId: PieceId, attempt = 1) => ({ generationId, worker: WORKER, attempt });
const jobOf = (generationId: PieceId) => all.backend.run((ctx) => ctx.db.query("jobs").withIndex("by_generation", (q) => q.eq("generationId", generationId)).unique());

function progress(generationId: PieceId, more: object = {}) {
  return all.worker.mutation(api.jobs.progress, { ...leaseOf(generationId), stage: "compose", percent: 10, leaseS: LEASE_S, ...more });
}

function complete(generationId: PieceId, audioFileId: FileId, more: { attempt?: number; metadata?: typeof METADATA } = {}) {
  return all.worker.mutation(api.jobs.complete, { ...leaseOf(generationId), audioFileId, metadata: METADATA, ...more });
}

function fail(generationId: PieceId, retry: boolean, more: object = {}) {
  return all.worker.mutation(api.jobs.fail, { ...leaseOf(generationId), code: "no_sound", message: "It made no sound.", retry, ...more });
}

describe("claim", () => {
  test("first come, first served, each to one worker; nothing when nothing waits", async () => {
    expect(await claim()).toBeNull();
    const [first, second, third] = [await begin(all.asha), await begin(all.ravi), await begin(all.asha)];
    expect(await claim()).toEqual({ generationId: first, request: (await view(first)).request, attempt: 1, createdAt: (await view(first)).createdAt });
    expect([(await otherClaim())?.generationId, (await claim())?.generationId]).toEqual([second, third]);
    expect([await claim(), await otherClaim()]).toEqual([null, null]);
  });

  test("two at the same time get two pieces", async () => {
    const pieces = [await begin(all.asha), await begin(all.asha)];
    const tasks = await Promise.all([claim(), otherClaim()]);
    expect(tasks.map((task) => task?.generationId).sort()).toEqual(pieces.sort());
  });

  test("whoever waits moves up, and what is made waits no more", async () => {
    const pieces = [await begin(all.asha), await begin(all.asha), await begin(all.asha)];
    const positions = () => Promise.all(pieces.map(async (piece) => (await view(piece)).position));
    expect(await positions()).toEqual([0, 1, 2]);
    await claim();
    expect(await positions()).toEqual([undefined, 0, 1]);
    expect(await view(pieces[0] ?? "")).toMatchObject({ progress: 0, attempt: 1 });
  });

  test("repeated after a lost answer, it hands out the same piece with a new lease, and then the next", async () => {
    vi.useFakeTimers();
    const [first, second] = [await begin(all.asha), await begin(all.asha)];
    await claim([]);
    const lease = (await jobOf(first))?.leaseUntil ?? 0;
    vi.advanceTimersByTime(1000);
    expect(await claim([])).toMatchObject({ generationId: first, attempt: 1 });
    expect((await jobOf(first))?.leaseUntil).toBe(lease + 1000);
    expect(await claim([first])).toMatchObject({ generationId: second });
    expect(await claim([first, second])).toBeNull();
  });

  test.each([0, -1, 9.9, 601, 1e9, NaN, Infinity])("a lease of %d s is refused", async (leaseS) => {
    const piece = await begin(all.asha);
    await refusal(claim(undefined, leaseS), "invalid");
    expect((await jobOf(piece))?.state).toBe("waiting");
  });

  test("a piece that somebody deleted by hand holds up nobody behind it", async () => {
    const lost = await begin(all.asha);
    const next = await begin(all.asha);
    await all.backend.run((ctx) => ctx.db.delete("musicGenerations", lost));
    expect((await claim())?.generationId).toBe(next);
    expect(await rows(all)).toMatchObject({ jobs: 1 });
  });
});

describe("progress", () => {
  test("renews the lease, goes forward and never back, and follows the stages", async () => {
    vi.useFakeTimers();
    const piece = await begin(all.asha);
    await claim();
    vi.advanceTimersByTime(30_000);
    expect(await progress(piece, { percent: 40, secondsLeft: 12 })).toEqual({ proceed: true });
    expect((await jobOf(piece))?.leaseUntil).toBe(Date.now() + LEASE_S * 1000);
    expect(await view(piece)).toMatchObject({ progress: 40, stage: "compose", secondsLeft: 12 });
    await progress(piece, { percent: 20, stage: "mix" });
    const later = await view(piece);
    expect(later).toMatchObject({ progress: 40, stage: "mix" });
    expect(later.secondsLeft).toBeUndefined();
  });

  test("without news it touches nothing but the lease", async () => {
    vi.useFakeTimers();
    const piece = await begin(all.asha);
    await claim();
    await progress(piece, { percent: 40, secondsLeft: 12 });
    const row = () => all.backend.run((ctx) => ctx.db.get("musicGenerations", piece));
    const before = await row();
    vi.advanceTimersByTime(30_000);
    for (const percent of [40, 20]) await progress(piece, { percent, secondsLeft: 5 });
    expect(await row()).toEqual(before);
    expect((await jobOf(piece))?.leaseUntil).toBe(Date.now() + LEASE_S * 1000);
  });

  test.each<[string, object]>([
    ["per cent -1", { percent: -1 }],
    ["per cent 101", { percent: 101 }],
    ["per cent NaN", { percent: NaN }],
    ["a lease of 0 s", { leaseS: 0 }],
    ["no stage", { stage: "" }],
    ["a stage of 10,000 characters", { stage: "x".repeat(10_000) }],
    ["seconds left -1", { secondsLeft: -1 }],
    ["seconds left NaN", { secondsLeft: NaN }],
    ["seconds left 1e9", { secondsLeft: 1e9 }],
  ])("%s is refused", async (_, more) => {
    const piece = await begin(all.asha);
    await claim();
    await refusal(progress(piece, more), "invalid");
    expect(await view(piece)).toMatchObject({ progress: 0 });
  });
});

describe("complete", () => {
  test("hands the piece in once, and its repeat is accepted without a change", async () => {
    const { piece, audio } = await finished(all, all.asha);
    const row = () => all.backend.run((ctx) => ctx.db.get("musicGenerations", piece));
    const before = await row();
    expect(before).toMatchObject({ status: "completed", audioFileId: audio, metadata: METADATA, progress: 100, completedAt: expect.any(Number) as number });
    expect(await complete(piece, audio)).toEqual({ accepted: true });
    expect(await row()).toEqual(before);
    expect(await rows(all)).toEqual({ users: 1, accounts: 1, musicGenerations: 1, _storage: 1 });
  });

  test("a second file for a finished piece is thrown away", async () => {
    const { piece, audio } = await finished(all, all.asha);
    expect(await complete(piece, await upload(all))).toEqual({ accepted: false });
    expect(await view(piece)).toMatchObject({ audioFileId: audio });
    expect(await rows(all)).toMatchObject({ _storage: 1 });
  });

  test("another piece's file is refused, and stays where it is even when the lease was lost", async () => {
    const { audio } = await finished(all, all.asha);
    const piece = await begin(all.asha);
    await claim();
    await refusal(complete(piece, audio), "invalid");
    expect(await complete(piece, audio, { attempt: 2 })).toEqual({ accepted: false });
    expect(await rows(all)).toMatchObject({ _storage: 1, jobs: 1 });
  });

  test("an empty and a missing file are refused, and the piece is still the worker's", async () => {
    const piece = await begin(all.asha);
    await claim();
    await refusal(complete(piece, await upload(all, "")), "invalid");
    const gone = await upload(all);
    await all.backend.run((ctx) => ctx.storage.delete(gone));
    await refusal(complete(piece, gone), "invalid");
    expect(await complete(piece, await upload(all))).toEqual({ accepted: true });
  });

  test.each<[string, object]>([
    ["no title", { title: "" }],
    ["a boundless title", { title: "x".repeat(10_000) }],
    ["no performer", { performer: "" }],
    ["a boundless tala", { tala: "x".repeat(10_000) }],
    ["length NaN", { durationS: NaN }],
    ["length -1", { durationS: -1 }],
    ["length 1e9", { durationS: 1e9 }],
    ["a tonic of 0 Hz", { tonicHz: 0 }],
    ["tempo Infinity", { tempoBpm: Infinity }],
    ["no bytes", { sizeBytes: 0 }],
    ["half a byte", { sizeBytes: 0.5 }],
    ["more than 100 MiB", { sizeBytes: 1e9 }],
    ["an empty fingerprint", { score: "" }],
    ["a boundless fingerprint", { score: "x".repeat(10_000) }],
  ])("metadata with %s are refused", async (_, more) => {
    const piece = await begin(all.asha);
    await claim();
    await refusal(complete(piece, await upload(all), { metadata: { ...METADATA, ...more } }), "invalid");
    expect((await view(piece)).status).toBe("processing");
  });

  test("a piece without a tala has none", async () => {
    const piece = await begin(all.asha);
    await claim();
    expect(await complete(piece, await upload(all), { metadata: { ...METADATA, tala: "", tempoBpm: 0 } })).toEqual({ accepted: true });
  });
});

describe("fail", () => {
  test("with retry the piece goes back to its place in the line until the attempts are used up, then it ends in the worker's words", async () => {
    const piece = await begin(all.asha);
    const next = await begin(all.asha);
    for (const attempt of [1, 2]) {
      expect(await claim()).toMatchObject({ generationId: piece, attempt });
      await progress(piece, { attempt, percent: 70 });
      expect(await fail(piece, true, { attempt })).toEqual({ accepted: true, requeued: true });
      const waiting = await view(piece);
      expect(waiting).toMatchObject({ status: "processing", position: 0, attempt });
      expect([waiting.progress, waiting.stage, waiting.error]).toEqual([undefined, undefined, undefined]);
    }
    expect(await claim()).toMatchObject({ generationId: piece, attempt: 3 });
    expect(await fail(piece, true, { attempt: 3 })).toEqual({ accepted: true, requeued: false });
    expect(await view(piece)).toMatchObject({ status: "failed", errorCode: "no_sound", error: "It made no sound." });
    expect((await claim())?.generationId).toBe(next);
  });

  test("without retry it ends at once, and a repeat says that the lease is gone", async () => {
    const piece = await begin(all.asha);
    await claim();
    expect(await fail(piece, false)).toEqual({ accepted: true, requeued: false });
    expect(await fail(piece, false)).toEqual({ accepted: false, requeued: false });
    expect(await view(piece)).toMatchObject({ status: "failed", errorCode: "no_sound" });
    expect(await rows(all)).toEqual({ users: 1, accounts: 1, musicGenerations: 1 });
  });

  test("a reason without words, or with too many, is refused", async () => {
    const piece = await begin(all.asha);
    await claim();
    for (const more of [{ message: "" }, { message: "x".repeat(10_000) }, { code: "" }, { code: "x".repeat(10_000) }]) {
      await refusal(fail(piece, true, more), "invalid");
    }
    expect(await jobOf(piece)).toMatchObject({ state: "running" });
  });
});

describe("a lost lease", () => {
  test("the first worker can change nothing any more, and what it uploaded is thrown away", async () => {
    vi.useFakeTimers();
    const piece = await begin(all.asha);
    await claim();
    vi.advanceTimersByTime(LEASE_S * 1000 + 1);
    await all.backend.mutation(internal.jobs.requeueExpired, {});
    expect(await otherClaim()).toMatchObject({ generationId: piece, attempt: 2 });
    for (const attempt of [1, 2]) {
      expect(await progress(piece, { attempt, percent: 99 })).toEqual({ proceed: false });
      expect(await fail(piece, false, { attempt })).toEqual({ accepted: false, requeued: false });
      expect(await complete(piece, await upload(all), { attempt })).toEqual({ accepted: false });
    }
    expect(await view(piece)).toMatchObject({ status: "processing", progress: 0, attempt: 2 });
    expect(await rows(all)).toEqual({ users: 1, accounts: 1, musicGenerations: 1, jobs: 1 });
  });

  test("an older attempt of the same worker is no lease either", async () => {
    const piece = await begin(all.asha);
    await claim();
    await fail(piece, true);
    await claim();
    expect(await progress(piece, { attempt: 1 })).toEqual({ proceed: false });
    expect(await progress(piece, { attempt: 2 })).toEqual({ proceed: true });
  });
});

describe("release", () => {
  test("gives back what the worker holds and nothing else, to its place in the line", async () => {
    const [first, second, third] = [await begin(all.asha), await begin(all.asha), await begin(all.asha)];
    await claim();
    await otherClaim();
    await claim();
    expect(await all.worker.mutation(api.jobs.release, { worker: WORKER })).toBe(2);
    expect(await all.worker.mutation(api.jobs.release, { worker: WORKER })).toBe(0);
    expect([(await view(first)).position, (await view(second)).position, (await view(third)).position]).toEqual([0, undefined, 1]);
    expect(await claim()).toMatchObject({ generationId: first, attempt: 2 });
  });

  test("a worker that was asked to stop costs its pieces no attempt", async () => {
    const piece = await begin(all.asha);
    for (let stops = 0; stops < 5; stops += 1) {
      expect(await claim()).toMatchObject({ generationId: piece, attempt: 1 });
      expect(await all.worker.mutation(api.jobs.release, { worker: WORKER, polite: true })).toBe(1);
    }
    expect(await view(piece)).toMatchObject({ status: "processing", position: 0 });
  });

  test("after the last attempt the piece ends, in words for the person", async () => {
    const piece = await begin(all.asha);
    for (const released of [1, 1, 0]) {
      await claim();
      expect(await all.worker.mutation(api.jobs.release, { worker: WORKER })).toBe(released);
    }
    expect(await view(piece)).toMatchObject({ status: "failed", errorCode: "failed", error: expect.stringContaining("several times") as string });
  });
});

describe("requeueExpired", () => {
  const sweep = () => all.backend.mutation(internal.jobs.requeueExpired, {});

  beforeEach(() => {
    vi.useFakeTimers();
  });

  test("takes a piece from its worker when the lease has run out and not before", async () => {
    const piece = await begin(all.asha);
    await claim();
    vi.advanceTimersByTime(LEASE_S * 1000);
    await sweep();
    expect(await jobOf(piece)).toMatchObject({ state: "running" });
    await progress(piece);
    vi.advanceTimersByTime(LEASE_S * 1000);
    await sweep();
    expect(await jobOf(piece)).toMatchObject({ state: "running" });
    vi.advanceTimersByTime(1);
    await sweep();
    const job = await jobOf(piece);
    expect(job).toMatchObject({ state: "waiting", attempt: 1 });
    expect(job).not.toHaveProperty("worker");
    expect(job).not.toHaveProperty("leaseUntil");
    expect(await view(piece)).toMatchObject({ status: "processing", position: 0 });
  });

  test("leaves those who wait alone, and ends a piece after its last attempt", async () => {
    const piece = await begin(all.asha);
    await begin(all.asha);
    for (const attempt of [1, 2, 3]) {
      expect(await claimed(all)).toMatchObject({ generationId: piece, attempt });
      vi.advanceTimersByTime(LEASE_S * 1000 + 1);
      await sweep();
    }
    expect(await view(piece)).toMatchObject({ status: "failed", errorCode: "failed" });
    expect(await rows(all)).toMatchObject({ jobs: 1 });
  });

  test("takes back many, fifty at a time", async () => {
    await all.backend.run(async (ctx) => {
      const userId = await ctx.db.insert("users", { createdAt: 0 });
      for (let n = 0; n < 60; n += 1) {
        const request = { musicType: "instrumental", mood: "calm", theme: "evening", duration: 30 } as const;
        const generationId = await ctx.db.insert("musicGenerations", { userId, request, status: "processing", isFavorite: false, progress: 0, createdAt: n });
        await ctx.db.insert("jobs", { generationId, state: "running", worker: WORKER, leaseUntil: n, attempt: 1, createdAt: n });
      }
    });
    const running = () => all.backend.run(async (ctx) => (await ctx.db.query("jobs").withIndex("by_lease", (q) => q.eq("state", "running")).collect()).length);
    await sweep();
    expect(await running()).toBe(10);
    await sweep();
    expect(await running()).toBe(0);
  });
});

test("a worker speaks in its own name only", async () => {
  const piece = await begin(all.asha);
  await claim();
  const lease = { ...leaseOf(piece), worker: OTHER_WORKER };
  await refusal(all.worker.mutation(api.jobs.claim, { worker: OTHER_WORKER, leaseS: LEASE_S }), "forbidden");
  await refusal(all.worker.mutation(api.jobs.release, { worker: OTHER_WORKER }), "forbidden");
  await refusal(progress(piece, lease), "forbidden");
  await refusal(fail(piece, false, lease), "forbidden");
  await refusal(all.otherWorker.mutation(api.jobs.progress, { ...leaseOf(piece), stage: "mix", percent: 99, leaseS: LEASE_S }), "forbidden");
  expect(await all.otherWorker.mutation(api.jobs.progress, { ...lease, stage: "mix", percent: 99, leaseS: LEASE_S })).toEqual({ proceed: false });
});
