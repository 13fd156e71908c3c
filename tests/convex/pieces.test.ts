/** Pieces as people see, keep, stop and remove them. */

import { beforeEach, describe, expect, test, vi } from "vitest";

import { api, internal } from "../../convex/_generated/api.js";
import { METADATA, PLACE, POSTED, REQUEST, WORKER, type PieceId, type World, begin, claimed, finished, pageFrom, refusal, rows, world } from "./world.ts";

const LONG = "x".repeat(10_000);

let all: World;
beforeEach(() => {
  all = world();
  return () => vi.useRealTimers();
});

const view = (generationId: string, caller = all.asha) => caller.query(api.musicGeneration.get, { generationId });
const cancel = (args: { generationId?: string; idempotencyKey?: string } = {}, caller = all.asha) => caller.mutation(api.musicGeneration.cancel, args);
const remove = (generationId: string, caller = all.asha) => caller.mutation(api.musicGeneration.remove, { generationId });

describe("history", () => {
  test("whoever never asked for anything has none", async () => {
    expect(await all.asha.query(api.musicGeneration.getUserHistory, {})).toEqual([]);
    expect(await all.asha.query(api.musicGeneration.history, pageFrom())).toEqual({ page: [], isDone: true, continueCursor: "" });
    expect(await rows(all)).toEqual({});
  });

  test("rows, newest first, all or by favorite, without what is not for clients", async () => {
    const first = await begin(all.asha, { idempotencyKey: "event 1" });
    const second = await begin(all.asha);
    await begin(all.ravi);
    await all.asha.mutation(api.musicGeneration.toggleFavorite, { generationId: first });
    const ids = async (args: { isFavorite?: boolean }) => (await all.asha.query(api.musicGeneration.getUserHistory, args)).map(({ _id }) => _id);
    expect(await ids({})).toEqual([second, first]);
    expect(await ids({ isFavorite: true })).toEqual([first]);
    expect(await ids({ isFavorite: false })).toEqual([second]);
    const [, oldest] = await all.asha.query(api.musicGeneration.getUserHistory, {});
    expect(oldest).toEqual({
      _id: first,
      _creationTime: expect.any(Number) as number,
      userId: expect.any(String) as string,
      request: REQUEST,
      status: "processing",
      isFavorite: true,
      createdAt: expect.any(Number) as number,
    });
  });

  test("pages of views, each piece once, also when the newest of them goes between two pages", async () => {
    const made: PieceId[] = [];
    for (let n = 0; n < 5; n += 1) made.unshift(await begin(all.asha));
    const seen: PieceId[] = [];
    let cursor: string | null = null;
    for (;;) {
      const page: { page: { id: PieceId; position?: number }[]; isDone: boolean; continueCursor: string } = await all.asha.query(api.musicGeneration.history, pageFrom(cursor, 2));
      if (cursor === null) expect(page.page.map(({ position }) => position)).toEqual([4, 3]);
      seen.push(...page.page.map(({ id }) => id));
      if (page.isDone) break;
      cursor = page.continueCursor;
      if (seen.length === 2) await remove(made[0] ?? "");
    }
    expect(seen).toEqual(made);
  });

  test.each([0, -1, 101, 0.5, NaN])("a page of %d is refused", async (size) => {
    await refusal(all.asha.query(api.musicGeneration.history, pageFrom(null, size)), "invalid");
  });
});

describe("get", () => {
  test("shows the owner everything, and those who read there no more than the piece", async () => {
    const { piece, audio } = await finished(all, all.asha, { delivery: POSTED });
    const take = await begin(all.asha, { request: { ...REQUEST, after: piece }, delivery: { ...POSTED, message: "m2" } });
    const shown = await all.ravi.query(api.musicGeneration.get, { generationId: piece, place: PLACE });
    expect(shown).toMatchObject({ own: false, favorite: false, status: "completed", progress: 100, audioFileId: audio, metadata: METADATA });
    expect(Object.keys(shown)).not.toEqual(expect.arrayContaining(["userId"]));
    expect((await all.ravi.query(api.musicGeneration.get, { generationId: take, place: PLACE })).request).toEqual(REQUEST);
  });

  test("keeps to itself what is not there, is another's, or was posted elsewhere, in the same words", async () => {
    const piece = await begin(all.asha, { delivery: POSTED });
    const gone = await begin(all.asha);
    await remove(gone);
    const look = (generationId: string, place?: { platform: string; chat: string }) => all.ravi.query(api.musicGeneration.get, place === undefined ? { generationId } : { generationId, place });
    const words = [
      await refusal(look(piece), "not_found"),
      await refusal(look(gone), "not_found"),
      await refusal(look("nonsense"), "not_found"),
      await refusal(look(LONG), "not_found"),
      await refusal(look(piece, { ...PLACE, chat: "c2" }), "not_found"),
    ];
    expect(new Set(words).size).toBe(1);
    await refusal(look(piece, { ...PLACE, chat: "" }), "invalid");
  });
});

describe("toggleFavorite", () => {
  test("turns the owner's heart, and a repeat of the same event turns nothing", async () => {
    const piece = await begin(all.asha);
    const toggle = (idempotencyKey?: string) => all.asha.mutation(api.musicGeneration.toggleFavorite, idempotencyKey === undefined ? { generationId: piece } : { generationId: piece, idempotencyKey });
    expect([await toggle(), await toggle()]).toEqual([true, false]);
    expect([await toggle("event 1"), await toggle("event 1"), await toggle("event 2"), await toggle("event 1")]).toEqual([true, true, false, true]);
    expect((await view(piece)).favorite).toBe(false);
    for (const key of ["", LONG]) await refusal(toggle(key), "invalid");
  });

  test("another's piece: kept by who sees it, without a mark for its owner; let go, the repeat still gets its answer", async () => {
    const piece = await begin(all.asha, { delivery: POSTED });
    const toggle = (idempotencyKey: string, more = {}) => all.ravi.mutation(api.musicGeneration.toggleFavorite, { generationId: piece, idempotencyKey, ...more });
    await refusal(toggle("event 0"), "not_found");
    expect(await toggle("event 1", { place: PLACE })).toBe(true);
    expect([(await view(piece, all.ravi)).favorite, (await view(piece)).favorite]).toEqual([true, false]);
    expect(await toggle("event 2")).toBe(false);
    expect(await toggle("event 2")).toBe(false);
    await refusal(toggle("event 3"), "not_found");
  });
});

describe("cancel", () => {
  test("stops the named piece or the newest unfinished one, and takes it out of the line", async () => {
    const [first, second, third] = [await begin(all.asha), await begin(all.asha), await begin(all.asha)];
    expect(await cancel({ generationId: second })).toMatchObject({ id: second, status: "failed", errorCode: "cancelled", own: true });
    expect(await cancel()).toMatchObject({ id: third });
    expect(await cancel({ generationId: second })).toMatchObject({ id: second });
    expect(await cancel()).toMatchObject({ id: first });
    expect(await cancel()).toBeNull();
    expect(await rows(all)).toEqual({ users: 1, accounts: 1, musicGenerations: 3 });
    expect(await all.worker.mutation(api.jobs.claim, { worker: WORKER, leaseS: 90 })).toBeNull();
  });

  test("the worker that makes it is told to stop, and what it hands in is thrown away", async () => {
    const piece = await begin(all.asha);
    const { attempt } = await claimed(all);
    await cancel();
    const lease = { generationId: piece, worker: WORKER, attempt };
    expect(await all.worker.mutation(api.jobs.progress, { ...lease, stage: "mix", percent: 50, leaseS: 90 })).toEqual({ proceed: false });
    const audioFileId = await all.backend.run((ctx) => ctx.storage.store(new Blob(["audio"])));
    expect(await all.worker.mutation(api.jobs.complete, { ...lease, audioFileId, metadata: METADATA })).toEqual({ accepted: false });
    expect(await rows(all)).toEqual({ users: 1, accounts: 1, musicGenerations: 1 });
    expect(await view(piece)).toMatchObject({ status: "failed", errorCode: "cancelled" });
    expect((await view(piece)).progress).toBeUndefined();
  });

  test("a repeated event stops nothing else, also when there was nothing to stop or the piece is gone", async () => {
    const first = await begin(all.asha);
    expect(await cancel({ idempotencyKey: "event 1" })).toMatchObject({ id: first });
    expect(await cancel({ idempotencyKey: "event 2" })).toBeNull();
    const second = await begin(all.asha);
    expect(await cancel({ idempotencyKey: "event 1" })).toMatchObject({ id: first });
    expect(await cancel({ idempotencyKey: "event 2" })).toBeNull();
    expect((await view(second)).status).toBe("processing");
    await remove(first);
    expect(await cancel({ idempotencyKey: "event 1" })).toBeNull();
    expect((await view(second)).status).toBe("processing");
    for (const idempotencyKey of ["", LONG]) await refusal(cancel({ idempotencyKey }), "invalid");
  });

  test("what is finished stays as it is", async () => {
    const { piece } = await finished(all, all.asha);
    expect(await cancel({ generationId: piece })).toBeNull();
    expect((await view(piece)).status).toBe("completed");
  });

  test("another's piece, one that is not there, and nobody's", async () => {
    const piece = await begin(all.asha);
    await refusal(cancel({ generationId: piece }, all.ravi), "not_found");
    expect(await cancel({}, all.ravi)).toBeNull();
    await begin(all.ravi);
    await refusal(cancel({ generationId: piece }, all.ravi), "not_found");
    await refusal(cancel({ generationId: "nonsense" }), "not_found");
    expect((await view(piece)).status).toBe("processing");
  });
});

describe("remove", () => {
  test("takes the piece away with all that hangs on it", async () => {
    const { piece } = await finished(all, all.asha, { delivery: POSTED });
    await all.asha.mutation(api.musicGeneration.toggleFavorite, { generationId: piece });
    await all.ravi.mutation(api.musicGeneration.toggleFavorite, { generationId: piece, place: PLACE });
    expect(await rows(all)).toMatchObject({ musicGenerations: 1, deliveries: 1, favorites: 2, _storage: 1 });
    await remove(piece);
    expect(await rows(all)).toEqual({ users: 2, accounts: 2, replays: 1 });
    await refusal(view(piece), "not_found");
    expect(await all.ravi.query(api.favorites.list, pageFrom())).toMatchObject({ page: [] });
  });

  test("one that waits or is being made goes out of the line, and its late audio is thrown away", async () => {
    const made = await begin(all.asha);
    const waits = await begin(all.asha);
    const { attempt } = await claimed(all);
    for (const piece of [made, waits]) await remove(piece);
    expect(await all.worker.mutation(api.jobs.progress, { generationId: made, worker: WORKER, attempt, stage: "mix", percent: 50, leaseS: 90 })).toEqual({ proceed: false });
    const audioFileId = await all.backend.run((ctx) => ctx.storage.store(new Blob(["audio"])));
    expect(await all.worker.mutation(api.jobs.complete, { generationId: made, worker: WORKER, attempt, audioFileId, metadata: METADATA })).toEqual({ accepted: false });
    expect(await rows(all)).toEqual({ users: 1, accounts: 1, replays: 2 });
  });

  test("can be repeated, and a late repeat of the request makes nothing again", async () => {
    const piece = await begin(all.asha, { idempotencyKey: "event 1" });
    await remove(piece);
    const before = await rows(all);
    await remove(piece);
    expect(await begin(all.asha, { idempotencyKey: "event 1" })).toBe(piece);
    expect(await rows(all)).toEqual(before);
  });

  test("is for the owner alone", async () => {
    const piece = await begin(all.asha, { delivery: POSTED });
    await refusal(remove(piece, all.ravi), "not_found");
    await begin(all.ravi);
    await all.ravi.mutation(api.musicGeneration.toggleFavorite, { generationId: piece, place: PLACE });
    await refusal(remove(piece, all.ravi), "not_found");
    await refusal(remove("nonsense"), "not_found");
    await remove(piece);
    await refusal(remove(piece, all.ravi), "not_found");
  });

  test("hearts and messages of more than one transaction go in further ones", async () => {
    vi.useFakeTimers();
    const { piece } = await finished(all, all.asha, { delivery: POSTED });
    await all.backend.run(async (ctx) => {
      for (let n = 0; n < 250; n += 1) {
        const userId = await ctx.db.insert("users", { createdAt: 0 });
        await ctx.db.insert("favorites", { userId, kind: "generation", generationId: piece, createdAt: 0 });
      }
    });
    await remove(piece);
    expect((await rows(all))["favorites"]).toBe(150);
    await all.backend.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await rows(all)).toEqual({ users: 251, accounts: 1, replays: 1 });
  });
});

describe("processGeneration", () => {
  const process = (generationId: PieceId) => all.backend.mutation(internal.musicGeneration.processGeneration, { generationId });

  test("puts a stopped piece back into the line as if it were new, once", async () => {
    const piece = await begin(all.asha);
    await cancel();
    for (let repeats = 0; repeats < 2; repeats += 1) await process(piece);
    const again = await view(piece);
    expect(again).toMatchObject({ status: "processing", position: 0 });
    expect([again.error, again.errorCode, again.attempt, again.progress]).toEqual([undefined, undefined, undefined, undefined]);
    expect(await rows(all)).toMatchObject({ jobs: 1 });
    expect(await claimed(all)).toMatchObject({ generationId: piece, attempt: 1 });
  });

  test("leaves alone what is finished, being made, or gone", async () => {
    const { piece } = await finished(all, all.asha);
    const made = await begin(all.asha);
    await claimed(all);
    const gone = await begin(all.asha);
    await remove(gone);
    for (const one of [piece, made, gone]) await process(one);
    expect([(await view(piece)).status, (await view(made)).progress]).toEqual(["completed", 0]);
    expect(await rows(all)).toMatchObject({ musicGenerations: 2, jobs: 1 });
  });
});
