/** Asking for pieces: bounds, repeats, and the people behind the calls. */

import { beforeEach, describe, expect, test } from "vitest";

import { api } from "../../convex/_generated/api.js";
import { POSTED, REQUEST, WORKER, type PieceId, type Start, type World, begin, chatAccount, claimed, finished, refusal, rows, world } from "./world.ts";

const LONG = "x".repeat(10_000);

let all: World;
beforeEach(() => {
  all = world();
});

const view = (generationId: string, caller = all.asha) => caller.query(api.musicGeneration.get, { generationId });

describe("startGeneration", () => {
  test("makes the piece, its job and its delivery, and the person at their first call", async () => {
    const piece = await begin(all.asha, { delivery: POSTED });
    expect(await view(piece)).toMatchObject({ id: piece, status: "processing", request: REQUEST, own: true, favorite: false, position: 0 });
    const first = { users: 1, accounts: 1, musicGenerations: 1, jobs: 1, deliveries: 1 };
    expect(await rows(all)).toEqual(first);
    await begin(all.asha);
    expect(await rows(all)).toEqual({ ...first, musicGenerations: 2, jobs: 2 });
  });

  test("a key gives the same piece again, whatever else is passed, and nothing is made or posted twice", async () => {
    const piece = await begin(all.asha, { idempotencyKey: "event 1", delivery: POSTED });
    const before = await rows(all);
    const other = { request: { ...REQUEST, duration: 60 }, delivery: { ...POSTED, message: "m2" } };
    expect(await begin(all.asha, { idempotencyKey: "event 1", ...other })).toBe(piece);
    expect(await rows(all)).toEqual(before);
    expect(await begin(all.asha, { idempotencyKey: "event 2" })).not.toBe(piece);
  });

  test("a key belongs to its user", async () => {
    const piece = await begin(all.asha, { idempotencyKey: "event 1" });
    expect(await begin(all.ravi, { idempotencyKey: "event 1" })).not.toBe(piece);
  });

  test("the same key at the same time makes one piece", async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => begin(all.asha, { idempotencyKey: "event 1" })));
    expect(new Set(made).size).toBe(1);
    expect(await rows(all)).toMatchObject({ users: 1, musicGenerations: 1, jobs: 1 });
  });

  test.each<[string, Partial<Start["request"]>]>([
    ["duration 0", { duration: 0 }],
    ["duration -1", { duration: -1 }],
    ["duration 4.9", { duration: 4.9 }],
    ["duration 600.1", { duration: 600.1 }],
    ["duration 1e9", { duration: 1e9 }],
    ["duration NaN", { duration: NaN }],
    ["duration Infinity", { duration: Infinity }],
    ["tempo 29", { tempo: 29 }],
    ["tempo 401", { tempo: 401 }],
    ["tempo NaN", { tempo: NaN }],
    ["seed -1", { seed: -1 }],
    ["seed 0.5", { seed: 0.5 }],
    ["seed 2^31", { seed: 2 ** 31 }],
    ["seed NaN", { seed: NaN }],
    ["nine instruments", { instruments: Array.from({ length: 9 }, () => "sitar") }],
    ["an empty instrument", { instruments: [""] }],
    ...(["mood", "theme", "raga", "voice", "key", "tala", "style"] as const).flatMap<[string, Partial<Start["request"]>]>((field) => [
      [`an empty ${field}`, { [field]: "" }],
      [`a blank ${field}`, { [field]: " \n" }],
      [`a ${field} of 10,000 characters`, { [field]: LONG }],
    ]),
    ["an instrument of 10,000 characters", { instruments: [LONG] }],
  ])("%s is refused, and leaves nothing behind", async (_, more) => {
    await refusal(begin(all.asha, { request: { ...REQUEST, ...more } }), "invalid");
    expect(await rows(all)).toEqual({});
  });

  test.each<Partial<Start["request"]>>([
    { duration: 5 },
    { duration: 600, tempo: 30, seed: 0 },
    { tempo: 400, seed: 2 ** 31 - 1, instruments: Array.from({ length: 8 }, () => "sitar") },
    { musicType: "vocal", voice: "soprano", raga: "x".repeat(100), tala: "Tintal", key: "C#", tradition: "Carnatic", style: "dhrupad" },
  ])("%o is taken as it is", async (more) => {
    const piece = await begin(all.asha, { request: { ...REQUEST, ...more } });
    expect((await view(piece)).request).toEqual({ ...REQUEST, ...more });
  });

  test.each<[string, Partial<Start>]>([
    ["an empty key", { idempotencyKey: "" }],
    ["a key of 10,000 characters", { idempotencyKey: LONG }],
    ["a delivery to no platform", { delivery: { ...POSTED, platform: "" } }],
    ["a delivery to no chat", { delivery: { ...POSTED, chat: " " } }],
    ["a delivery to a boundless message", { delivery: { ...POSTED, message: LONG } }],
  ])("%s is refused, and leaves nothing behind", async (_, more) => {
    await refusal(begin(all.asha, more), "invalid");
    expect(await rows(all)).toEqual({});
  });

  test("a sixth unfinished piece is refused, but not a repeat, nor another person's, nor one after the first is done", async () => {
    const pieces: PieceId[] = [];
    for (const n of [1, 2, 3, 4, 5]) pieces.push(await begin(all.asha, { idempotencyKey: `event ${String(n)}` }));
    expect(await refusal(begin(all.asha), "too_many")).toContain("5 of your pieces");
    expect(await begin(all.asha, { idempotencyKey: "event 5" })).toBe(pieces[4]);
    await begin(all.ravi);
    const task = await claimed(all);
    await all.worker.mutation(api.jobs.fail, { generationId: task.generationId, worker: WORKER, attempt: 1, code: "failed", message: "No.", retry: false });
    await begin(all.asha);
    await refusal(begin(all.asha), "too_many");
  });

  test("another take names a piece that the caller may see", async () => {
    const { piece } = await finished(all, all.asha, { delivery: POSTED });
    const after = (caller: World["asha"], id: string, more: Partial<Start> = {}) => begin(caller, { request: { ...REQUEST, after: id }, ...more });
    const own = await after(all.asha, piece);
    expect((await view(own)).request.after).toBe(piece);
    await refusal(after(all.ravi, piece), "not_found");
    await refusal(after(all.asha, "nonsense"), "not_found");
    const there = await after(all.ravi, piece, { delivery: { ...POSTED, message: "m2" } });
    expect((await view(there, all.ravi)).request.after).toBe(piece);
  });

  test("a name is kept, changed with the token, and cut between two characters", async () => {
    const account = (name: string) => all.backend.withIdentity(chatAccount("discord:1", name));
    const known = async () => (await all.asha.query(api.accounts.me, {}))?.accounts.map(({ name }) => name);
    await begin(all.asha);
    expect(await known()).toEqual(["Asha"]);
    await begin(account(`${"a".repeat(99)}🪕`));
    expect(await known()).toEqual(["a".repeat(99)]);
    await begin(account(`${"a".repeat(98)}🪕🪕`));
    expect(await known()).toEqual([`${"a".repeat(98)}🪕`]);
  });
});
