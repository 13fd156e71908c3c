/** What a bot has to show: its subscription, and its reports of what was shown. */

import { beforeEach, describe, expect, test } from "vitest";

import { api } from "../../convex/_generated/api.js";
import type { Id } from "../../convex/_generated/dataModel.js";
import { LEASE_S, METADATA, POSTED, REQUEST, WORKER, type Start, type World, begin, chatAccount, claimed, finished, refusal, rows, world } from "./world.ts";

let all: World;
beforeEach(() => {
  all = world();
});

const watch = (bot = all.bot) => bot.query(api.deliveries.watch, {});
const done = (deliveryId: Id<"deliveries">, bot = all.bot) => bot.mutation(api.deliveries.done, { deliveryId });
const move = (deliveryId: Id<"deliveries">, message: string, bot = all.bot) => bot.mutation(api.deliveries.move, { deliveryId, message });
const row = (deliveryId: Id<"deliveries">) => all.backend.run((ctx) => ctx.db.get("deliveries", deliveryId));

/** A piece of Asha's posted by her bot, and its delivery. */
async function posted(more: Partial<Start> = {}) {
  const piece = await begin(all.asha, { delivery: POSTED, ...more });
  const delivery = (await watch()).deliveries.find(({ generationId }) => generationId === piece);
  if (delivery === undefined) throw new Error("not watched");
  return { piece, deliveryId: delivery.deliveryId };
}

describe("watch", () => {
  test("nothing to show, nothing waits, nothing published", async () => {
    expect(await watch()).toEqual({ announcement: null, deliveries: [], waitingJob: null, catalogueVersion: null, notices: [] });
  });

  test("follows a piece from the line to its audio, which then is still to be shown", async () => {
    const ahead = await begin(all.ravi);
    const { piece, deliveryId } = await posted();
    const shown = async () => (await watch()).deliveries.map(({ generation, audioUrl }) => ({ ...generation, audioUrl }));
    expect((await watch()).deliveries).toEqual([
      {
        deliveryId,
        generationId: piece,
        ...POSTED,
        account: "discord:1",
        generation: { id: piece, status: "processing", request: REQUEST, createdAt: expect.any(Number) as number, favorite: false, own: true, position: 1 },
        audioUrl: null,
      },
    ]);
    expect((await claimed(all)).generationId).toBe(ahead);
    expect(await shown()).toMatchObject([{ position: 0, audioUrl: null }]);
    await claimed(all);
    const lease = { generationId: piece, worker: WORKER, attempt: 1 };
    await all.worker.mutation(api.jobs.progress, { ...lease, stage: "mix", percent: 60, secondsLeft: 4, leaseS: LEASE_S });
    expect(await shown()).toMatchObject([{ progress: 60, stage: "mix", secondsLeft: 4, audioUrl: null }]);
    const audioFileId = await all.backend.run((ctx) => ctx.storage.store(new Blob(["audio"])));
    await all.worker.mutation(api.jobs.complete, { ...lease, audioFileId, metadata: METADATA });
    expect(await shown()).toMatchObject([{ status: "completed", metadata: METADATA, audioUrl: expect.stringContaining("http") as string }]);
    await done(deliveryId);
    expect(await shown()).toEqual([]);
  });

  test("says which job waits first, until a worker has it", async () => {
    await begin(all.ravi);
    const first = (await watch()).waitingJob;
    expect(await all.backend.run(async (ctx) => (await ctx.db.query("jobs").first())?._id)).toBe(first);
    await begin(all.ravi);
    expect((await watch()).waitingJob).toBe(first);
    await claimed(all);
    expect((await watch()).waitingJob).not.toBe(first);
    await claimed(all);
    expect((await watch()).waitingJob).toBeNull();
  });

  test("says which catalogue is published", async () => {
    await all.bot.mutation(api.catalogue.publish, { version: "one", count: 0 });
    expect((await watch()).catalogueVersion).toBe("one");
  });

  test("is each bot's own", async () => {
    await posted();
    await begin(all.backend.withIdentity(chatAccount("discord:1", "Asha", "b2")), { delivery: { ...POSTED, message: "m2" } });
    expect((await watch()).deliveries.map(({ message }) => message)).toEqual(["m1"]);
    expect((await watch(all.otherBot)).deliveries.map(({ message }) => message)).toEqual(["m2"]);
  });

  test("leaves out a piece that is gone", async () => {
    const { piece } = await posted();
    await all.backend.run((ctx) => ctx.db.delete("musicGenerations", piece));
    expect((await watch()).deliveries).toEqual([]);
  });

  test("shows the oldest three hundred", async () => {
    const { piece } = await posted();
    await all.backend.run(async (ctx) => {
      for (let n = 2; n <= 301; n += 1) {
        await ctx.db.insert("deliveries", { ...POSTED, message: `m${String(n)}`, generationId: piece, bot: "b1", account: "discord:1", state: "open", createdAt: n });
      }
    });
    const { deliveries } = await watch();
    expect([deliveries.length, deliveries[0]?.message, deliveries.at(-1)?.message]).toEqual([300, "m1", "m300"]);
  });

  test("a failed piece is shown in words", async () => {
    const { piece } = await posted();
    await all.asha.mutation(api.musicGeneration.cancel, { generationId: piece });
    expect((await watch()).deliveries[0]).toMatchObject({ generation: { status: "failed", errorCode: "cancelled", error: "You stopped this piece." }, audioUrl: null });
  });
});

describe("done", () => {
  test("is said once; its repeat changes nothing", async () => {
    const { deliveryId } = await posted();
    await done(deliveryId);
    const before = await row(deliveryId);
    expect(before).toMatchObject({ state: "done", doneAt: expect.any(Number) as number });
    await done(deliveryId);
    expect(await row(deliveryId)).toEqual(before);
  });

  test("of a delivery that went with its piece is no mistake", async () => {
    const { piece, deliveryId } = await posted();
    await all.asha.mutation(api.musicGeneration.remove, { generationId: piece });
    expect([await done(deliveryId), await move(deliveryId, "m2")]).toEqual([null, null]);
    expect(await rows(all)).not.toHaveProperty("deliveries");
  });

  test("is refused to another bot", async () => {
    const { deliveryId } = await posted();
    await refusal(done(deliveryId, all.otherBot), "not_found");
    expect(await row(deliveryId)).toMatchObject({ state: "open" });
  });
});

describe("move", () => {
  test("names the message that shows the piece now", async () => {
    const { deliveryId } = await posted();
    for (let repeats = 0; repeats < 2; repeats += 1) await move(deliveryId, "m2");
    expect((await watch()).deliveries).toMatchObject([{ deliveryId, chat: "c1", message: "m2" }]);
  });

  test("is refused to another bot, and to no or a boundless message", async () => {
    const { deliveryId } = await posted();
    await refusal(move(deliveryId, "m2", all.otherBot), "not_found");
    for (const message of ["", " ", "x".repeat(10_000)]) await refusal(move(deliveryId, message), "invalid");
    expect(await row(deliveryId)).toMatchObject({ message: "m1" });
  });
});

test("a place stays open to those who read there after the piece was shown", async () => {
  const { piece } = await finished(all, all.asha, { delivery: POSTED });
  const [delivery] = (await watch()).deliveries;
  if (delivery !== undefined) await done(delivery.deliveryId);
  const place = { platform: "discord", chat: "c1" };
  expect(await all.ravi.query(api.musicGeneration.get, { generationId: piece, place })).toMatchObject({ id: piece, own: false });
});
