/** How far lists go, and what a cursor is worth that another list, or nobody, has given. */

import { beforeEach, describe, expect, test } from "vitest";

import { api } from "../../convex/_generated/api.js";
import { PLACE, POSTED, REQUEST, type World, begin, pageFrom, raga, refusal, world } from "./world.ts";

let all: World;
beforeEach(() => {
  all = world();
});

/** Rows for more pieces of Asha than she may have asked for at once; the last is the newest. */
function pieces(count: number, status: "processing" | "completed"): Promise<void> {
  return all.backend.run(async (ctx) => {
    const account = await ctx.db.query("accounts").withIndex("by_account", (q) => q.eq("account", "discord:1")).unique();
    if (account === null) throw new Error("Asha is not known yet.");
    for (let n = 1; n <= count; n += 1) {
      const createdAt = Date.now() + n;
      const request = { musicType: "instrumental", mood: "calm", theme: "evening", duration: 30, seed: n } as const;
      const generationId = await ctx.db.insert("musicGenerations", { userId: account.userId, request, status, isFavorite: false, createdAt });
      if (status === "processing") await ctx.db.insert("jobs", { generationId, state: "waiting", attempt: 0, createdAt });
    }
  });
}

describe("a cursor that cannot be read is refused in words", () => {
  const LISTS = {
    "the history": (cursor: string) => all.asha.query(api.musicGeneration.history, pageFrom(cursor)),
    "the favorites": (cursor: string) => all.asha.query(api.favorites.list, pageFrom(cursor)),
    "the catalogue": (cursor: string) => all.backend.query(api.ragas.page, pageFrom(cursor)),
  };

  test.each(Object.entries(LISTS))("in %s", async (_, list) => {
    await all.bot.mutation(api.catalogue.upsert, { ragas: [raga("Hindol")] });
    const generationId = await begin(all.asha);
    await all.asha.mutation(api.favorites.set, { generationId, on: true, idempotencyKey: "press 1" });
    for (const cursor of ["nonsense", "{", "x".repeat(10_000)]) {
      expect(await refusal(list(cursor), "invalid")).toBe("This list has changed since. Please open it again from its beginning.");
    }
  });
});

test("the rows of a history are the newest hundred, and its pages go on", async () => {
  await begin(all.asha);
  await pieces(100, "completed");
  const rows = await all.asha.query(api.musicGeneration.getUserHistory, {});
  expect([rows.length, rows[0]?.request.seed, rows.at(-1)?.request.seed]).toEqual([100, 100, 1]);
  const { page, continueCursor, isDone } = await all.asha.query(api.musicGeneration.history, pageFrom(null, 100));
  expect([page.length, isDone]).toEqual([100, false]);
  const rest = await all.asha.query(api.musicGeneration.history, pageFrom(continueCursor, 100));
  expect(rest.page).toMatchObject([{ status: "processing", position: 0 }]);
});

test("the line is counted up to a hundred", async () => {
  await begin(all.asha);
  await pieces(101, "processing");
  const { page } = await all.asha.query(api.musicGeneration.history, pageFrom(null, 4));
  expect(page.map(({ position }) => position)).toEqual([100, 100, 99, 98]);
});

test("pages show what the owner keeps", async () => {
  const generationId = await begin(all.asha);
  await begin(all.asha);
  await all.asha.mutation(api.musicGeneration.toggleFavorite, { generationId });
  const { page } = await all.asha.query(api.musicGeneration.history, pageFrom());
  expect(page.map(({ favorite }) => favorite)).toEqual([false, true]);
});

test("the favorites say what is one's own; of another's piece they do not tell what it was another take of", async () => {
  const before = await begin(all.asha);
  const generationId = await begin(all.asha, { request: { ...REQUEST, after: before }, delivery: POSTED });
  await all.asha.mutation(api.musicGeneration.toggleFavorite, { generationId });
  await all.ravi.mutation(api.musicGeneration.toggleFavorite, { generationId, place: PLACE });
  const [hers] = (await all.asha.query(api.favorites.list, pageFrom())).page;
  const [his] = (await all.ravi.query(api.favorites.list, pageFrom())).page;
  expect(hers?.generation).toMatchObject({ own: true, request: { after: before } });
  expect(his?.generation).toMatchObject({ own: false, request: REQUEST });
  expect(his?.generation?.request).not.toHaveProperty("after");
});
