/** Hearts on pieces, ragas and messages, and the list of what a person keeps. */

import type { FunctionArgs } from "convex/server";
import { beforeEach, describe, expect, test } from "vitest";

import { api } from "../../convex/_generated/api.js";
import { ISSUER, PLACE, POSTED, REQUEST, type Caller, type PieceId, type World, begin, chatAccount, finished, pageFrom, raga, refusal, rows, world } from "./world.ts";

type Hearted = FunctionArgs<typeof api.favorites.set>;

let all: World;
let keys = 0;
beforeEach(() => {
  all = world();
});

/** Each call with a key of its own, unless one is named. */
function set(caller: Caller, on: boolean | null, what: Partial<Hearted>): Promise<boolean> {
  keys += 1;
  return caller.mutation(api.favorites.set, { on, idempotencyKey: `event ${String(keys)}`, ...what });
}

async function kept(caller: Caller): Promise<(string | undefined)[]> {
  const { page } = await caller.query(api.favorites.list, pageFrom());
  return page.map(({ raga: name, generation }) => name ?? generation?.id);
}

async function mark(piece: PieceId): Promise<boolean | undefined> {
  return (await all.backend.run((ctx) => ctx.db.get("musicGenerations", piece)))?.isFavorite;
}

describe("a piece of one's own", () => {
  test("is kept, let go, and turned; setting twice is setting once", async () => {
    const generationId = await begin(all.asha);
    expect(await set(all.asha, false, { generationId })).toBe(false);
    for (let repeats = 0; repeats < 2; repeats += 1) expect(await set(all.asha, true, { generationId })).toBe(true);
    expect([await mark(generationId), await kept(all.asha)]).toEqual([true, [generationId]]);
    expect(await rows(all)).toMatchObject({ favorites: 1 });
    expect(await set(all.asha, false, { generationId })).toBe(false);
    expect([await mark(generationId), await kept(all.asha)]).toEqual([false, []]);
    expect([await set(all.asha, null, { generationId }), await set(all.asha, null, { generationId })]).toEqual([true, false]);
  });

  test("a repeated key gives the first answer and changes nothing, whatever it asks for", async () => {
    const generationId = await begin(all.asha);
    const first = { generationId, idempotencyKey: "press 1" };
    expect(await set(all.asha, null, first)).toBe(true);
    expect(await set(all.asha, null, first)).toBe(true);
    await set(all.asha, false, { generationId });
    expect(await set(all.asha, null, first)).toBe(true);
    expect(await set(all.asha, true, first)).toBe(true);
    expect(await mark(generationId)).toBe(false);
  });

  test("the same key at the same time turns once", async () => {
    const generationId = await begin(all.asha);
    const answers = await Promise.all(Array.from({ length: 5 }, () => set(all.asha, null, { generationId, idempotencyKey: "press 1" })));
    expect(answers).toEqual([true, true, true, true, true]);
    expect(await rows(all)).toMatchObject({ favorites: 1, replays: 1 });
  });

  test("a key belongs to its user", async () => {
    const generationId = await begin(all.asha, { delivery: POSTED });
    expect(await set(all.asha, null, { generationId, idempotencyKey: "press 1" })).toBe(true);
    expect(await set(all.ravi, null, { generationId, idempotencyKey: "press 1", place: PLACE })).toBe(true);
    expect(await rows(all)).toMatchObject({ favorites: 2, replays: 2 });
  });
});

describe("another's piece", () => {
  test("is kept by whoever sees it, seen from then on, and its owner's mark stays", async () => {
    const { piece: generationId, audio } = await finished(all, all.asha, { delivery: POSTED });
    await refusal(set(all.ravi, true, { generationId }), "not_found");
    await refusal(set(all.ravi, true, { generationId, place: { ...PLACE, chat: "c2" } }), "not_found");
    expect(await rows(all)).not.toHaveProperty("favorites");
    expect(await set(all.ravi, true, { generationId, place: PLACE })).toBe(true);
    expect(await all.ravi.query(api.musicGeneration.get, { generationId })).toMatchObject({ own: false, favorite: true, audioFileId: audio });
    expect(await mark(generationId)).toBe(false);
    expect([await kept(all.ravi), await kept(all.asha)]).toEqual([[generationId], []]);
  });

  test("let go and seen no longer, the repeat of the event still gets its answer", async () => {
    const generationId = await begin(all.asha, { delivery: POSTED });
    await set(all.ravi, true, { generationId, place: PLACE });
    for (let repeats = 0; repeats < 2; repeats += 1) expect(await set(all.ravi, false, { generationId, idempotencyKey: "press 1" })).toBe(false);
    await refusal(set(all.ravi, false, { generationId }), "not_found");
  });

  test("the same when its owner removed it meanwhile", async () => {
    const generationId = await begin(all.asha, { delivery: POSTED });
    const press = { generationId, place: PLACE, idempotencyKey: "press 1" };
    await set(all.ravi, true, press);
    await all.asha.mutation(api.musicGeneration.remove, { generationId });
    expect(await set(all.ravi, true, press)).toBe(true);
    expect(await kept(all.ravi)).toEqual([]);
  });
});

describe("a raga", () => {
  beforeEach(() => all.bot.mutation(api.catalogue.upsert, { ragas: [raga("Hindol"), raga("Hindol", { tradition: "Carnatic" })] }));
  const hindol = { raga: "Hindol", tradition: "Hindustani" } as const;

  test("is kept, let go and turned, in one tradition at a time", async () => {
    expect(await set(all.asha, true, hindol)).toBe(true);
    expect(await set(all.asha, true, hindol)).toBe(true);
    const { page } = await all.asha.query(api.favorites.list, pageFrom());
    expect(page).toEqual([{ kind: "raga", ...hindol, createdAt: expect.any(Number) as number }]);
    expect(await set(all.asha, null, { ...hindol, tradition: "Carnatic" })).toBe(true);
    expect(await set(all.asha, null, hindol)).toBe(false);
    expect(await kept(all.asha)).toEqual(["Hindol"]);
    expect(await kept(all.ravi)).toEqual([]);
  });

  test("a repeated key turns nothing", async () => {
    for (let repeats = 0; repeats < 3; repeats += 1) expect(await set(all.asha, null, { ...hindol, idempotencyKey: "press 1" })).toBe(true);
    expect(await rows(all)).toMatchObject({ favorites: 1 });
  });

  test("one that is not in the catalogue cannot be kept, but let go", async () => {
    await refusal(set(all.asha, true, { raga: "Hindolx", tradition: "Hindustani" }), "not_found");
    expect(await set(all.asha, false, { raga: "Hindolx", tradition: "Hindustani" })).toBe(false);
    for (const name of ["", "x".repeat(10_000)]) await refusal(set(all.asha, true, { ...hindol, raga: name }), "invalid");
  });
});

test.each<[string, Partial<Hearted>]>([
  ["nothing", {}],
  ["a raga without its tradition", { raga: "Hindol" }],
  ["a tradition alone", { tradition: "Carnatic" }],
  ["a piece and a raga", { generationId: "x", raga: "Hindol", tradition: "Carnatic" }],
  ["an empty key", { raga: "Hindol", tradition: "Carnatic", idempotencyKey: "" }],
  ["a key of 10,000 characters", { raga: "Hindol", tradition: "Carnatic", idempotencyKey: "x".repeat(10_000) }],
])("set with %s is refused, and leaves nothing behind", async (_, what) => {
  await refusal(set(all.asha, true, what), "invalid");
  expect(await rows(all)).toEqual({});
});

describe("a heart on a message", () => {
  const press = (caller: Caller, on: boolean, message: object = POSTED) => caller.mutation(api.favorites.setByMessage, { ...POSTED, ...message, on });

  test("keeps and lets go the piece that stands there, as often as it comes", async () => {
    const generationId = await begin(all.asha, { delivery: POSTED });
    for (const on of [true, true, false, false, true]) expect(await press(all.asha, on)).toEqual({ on, generationId });
    expect([await mark(generationId), await kept(all.asha)]).toEqual([true, [generationId]]);
    expect(await press(all.ravi, true)).toEqual({ on: true, generationId });
    await press(all.ravi, false);
    expect([await mark(generationId), await kept(all.asha), await kept(all.ravi)]).toEqual([true, [generationId], []]);
  });

  test("on a message without a piece, another bot's, or a removed one, it is nothing, and makes nobody a user", async () => {
    const generationId = await begin(all.asha, { delivery: POSTED });
    const ofOtherBot = all.backend.withIdentity(chatAccount("discord:3", "Mira", "b2"));
    const before = await rows(all);
    for (const elsewhere of [{ message: "m2" }, { chat: "c2" }, { platform: "telegram" }]) expect(await press(all.ravi, true, elsewhere)).toBeNull();
    expect(await press(ofOtherBot, true)).toBeNull();
    expect(await rows(all)).toEqual(before);
    await all.asha.mutation(api.musicGeneration.remove, { generationId });
    expect(await press(all.ravi, true)).toBeNull();
  });

  test("follows the piece to another message", async () => {
    const generationId = await begin(all.asha, { delivery: POSTED });
    const { deliveries } = await all.bot.query(api.deliveries.watch, {});
    await all.bot.mutation(api.deliveries.move, { deliveryId: deliveries[0]?.deliveryId as NonNullable<(typeof deliveries)[0]>["deliveryId"], message: "m9" });
    expect(await press(all.ravi, true)).toBeNull();
    expect(await press(all.ravi, true, { message: "m9" })).toEqual({ on: true, generationId });
  });

  test("means the newest piece, where one message showed several", async () => {
    await begin(all.asha, { delivery: POSTED });
    const generationId = await begin(all.asha, { delivery: POSTED });
    expect(await press(all.asha, true)).toEqual({ on: true, generationId });
  });

  test("is for the latest piece where two came to stand", async () => {
    await begin(all.asha, { delivery: POSTED });
    const latest = await begin(all.asha, { delivery: POSTED });
    expect(await press(all.asha, true)).toEqual({ on: true, generationId: latest });
    expect(await kept(all.asha)).toEqual([latest]);
  });

  test("is refused without a bot, and with a boundless place", async () => {
    await refusal(press(all.backend.withIdentity({ issuer: ISSUER, subject: "web:3", role: "user" }), true), "forbidden");
    for (const wrong of [{ platform: "" }, { chat: "x".repeat(10_000) }, { message: " " }]) await refusal(press(all.asha, true, wrong), "invalid");
  });
});

describe("the list", () => {
  test("newest first, in pages, of pieces and ragas alike", async () => {
    await all.bot.mutation(api.catalogue.upsert, { ragas: [raga("Hindol")] });
    const first = await begin(all.asha);
    const second = await begin(all.asha);
    await set(all.asha, true, { generationId: second });
    await set(all.asha, true, { raga: "Hindol", tradition: "Hindustani" });
    await set(all.asha, true, { generationId: first });
    const { page, continueCursor, isDone } = await all.asha.query(api.favorites.list, pageFrom(null, 2));
    expect(isDone).toBe(false);
    expect(page).toMatchObject([
      { kind: "generation", generation: { id: first, favorite: true, own: true, request: REQUEST, position: 0 } },
      { kind: "raga", raga: "Hindol" },
    ]);
    const rest = await all.asha.query(api.favorites.list, pageFrom(continueCursor, 2));
    expect(rest.page).toMatchObject([{ generation: { id: second, position: 1 } }]);
    expect(rest.isDone).toBe(true);
  });

  test("passes over a piece that is gone while its hearts still wait for the sweep", async () => {
    const generationId = await begin(all.asha);
    await set(all.asha, true, { generationId });
    await all.backend.run((ctx) => ctx.db.delete("musicGenerations", generationId));
    expect(await kept(all.asha)).toEqual([]);
  });

  test("whoever keeps nothing has an empty one; wrong pages are refused", async () => {
    expect(await all.asha.query(api.favorites.list, pageFrom())).toEqual({ page: [], isDone: true, continueCursor: "" });
    for (const size of [0, -1, 101, NaN]) await refusal(all.asha.query(api.favorites.list, pageFrom(null, size)), "invalid");
  });
});
