/** How much a person may have made, what is given back, and that nobody pays for another. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { api } from "../../convex/_generated/api.js";
import { LEASE_S, POSTED, WORKER, type Caller, type World, begin, chatAccount, claimed, finished, refusal, world, REQUEST } from "./world.ts";

let all: World;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  all = world();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const quota = async (caller: Caller) => (await caller.query(api.accounts.me, {}))?.quota;
const cancel = (caller: Caller) => caller.mutation(api.musicGeneration.cancel, {});

test("twenty pieces an hour, then one every three minutes, and the words say so", async () => {
  for (let number = 0; number < 20; number += 1) await finished(all, all.asha);
  expect(await quota(all.asha)).toMatchObject({ pieces: { left: 0, of: 20 }, running: 0 });
  expect(await refusal(begin(all.asha), "too_many")).toBe("You have had 20 pieces within an hour. One like this can be made in 3 minutes; /me shows what is left.");
  await begin(all.ravi); // nobody else waits for it
  vi.advanceTimersByTime(3 * 60_000);
  await begin(all.asha);
  await refusal(begin(all.asha), "too_many");
});

test("an hour of music a day, by its length", async () => {
  const long = { request: { ...REQUEST, duration: 600 } };
  for (let number = 0; number < 6; number += 1) await finished(all, all.asha, long);
  expect(await quota(all.asha)).toMatchObject({ seconds: { left: 0, of: 3600 } });
  expect(await refusal(begin(all.asha, long), "too_many")).toBe("You have had 60 minutes of music within a day. One like this can be made in 4 hours; /me shows what is left.");
  vi.advanceTimersByTime(4 * 3_600_000);
  await begin(all.asha, long);
});

test("what was cancelled, failed or removed before it was there is given back, once", async () => {
  const whole = { pieces: { left: 20 }, seconds: { left: 3600 } };
  await begin(all.asha);
  expect(await quota(all.asha)).toMatchObject({ pieces: { left: 19 }, seconds: { left: 3570 } });
  await cancel(all.asha);
  await cancel(all.asha);
  expect(await quota(all.asha)).toMatchObject(whole);
  const failing = await begin(all.asha);
  const task = await claimed(all);
  const failed = { generationId: failing, worker: WORKER, attempt: task.attempt, code: "failed", message: "It did not work.", retry: false };
  await all.worker.mutation(api.jobs.fail, failed);
  await all.worker.mutation(api.jobs.fail, failed);
  expect(await quota(all.asha)).toMatchObject(whole);
  await all.asha.mutation(api.musicGeneration.remove, { generationId: failing });
  const removed = await begin(all.asha);
  await all.asha.mutation(api.musicGeneration.remove, { generationId: removed });
  await all.asha.mutation(api.musicGeneration.remove, { generationId: removed });
  expect(await quota(all.asha)).toMatchObject(whole);
  const { piece } = await finished(all, all.asha);
  await all.asha.mutation(api.musicGeneration.remove, { generationId: piece });
  expect(await quota(all.asha)).toMatchObject({ pieces: { left: 19 } }); // it was made
});

test("a piece that loses its worker three times is given back when it ends", async () => {
  await begin(all.asha);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await claimed(all);
    vi.advanceTimersByTime(LEASE_S * 1000 + 1);
    await all.worker.mutation(api.jobs.release, { worker: WORKER });
  }
  expect(await quota(all.asha)).toMatchObject({ pieces: { left: 20 }, running: 0 });
});

test("a group has an allowance of its own, whoever asks in it", async () => {
  vi.stubEnv("RAGA_GROUP_PIECES_AN_HOUR", "3");
  const here = (message: string) => ({ delivery: { ...POSTED, message, group: "g1" } });
  for (let number = 0; number < 3; number += 1) await begin(all.backend.withIdentity(chatAccount(`discord:${String(10 + number)}`, "Mira")), here(`m${String(number)}`));
  expect(await refusal(begin(all.asha, here("m3")), "too_many")).toBe("3 pieces were made here within an hour. One like this can be made in 20 minutes; in a direct message you need not wait.");
  await begin(all.asha, { delivery: { ...POSTED, message: "m4", group: "g2" } });
  await begin(all.asha, { delivery: { ...POSTED, message: "m5" } });
});

test("an operator may set other numbers", async () => {
  vi.stubEnv("RAGA_PIECES_AN_HOUR", "2");
  vi.stubEnv("RAGA_SECONDS_A_DAY", "100");
  await refusal(begin(all.asha, { request: { ...REQUEST, duration: 101 } }), "too_many");
  await begin(all.asha);
  await begin(all.asha);
  await refusal(begin(all.asha), "too_many");
  expect(await quota(all.asha)).toMatchObject({ pieces: { left: 0, of: 2 }, seconds: { left: 40, of: 100 } });
});

test("the same request sent again costs nothing", async () => {
  for (let number = 0; number < 3; number += 1) await begin(all.asha, { idempotencyKey: "once" });
  expect(await quota(all.asha)).toMatchObject({ pieces: { left: 19 } });
});

test("who links two accounts has no more left than before", async () => {
  for (let number = 0; number < 4; number += 1) await finished(all, all.asha);
  await finished(all, all.ravi);
  await all.asha.mutation(api.links.begin, { hash: "7".repeat(64), kind: "code" });
  const { linkId } = (await all.ravi.mutation(api.links.redeem, { hash: "7".repeat(64) })) as { linkId: string };
  for (const caller of [all.asha, all.ravi]) await caller.mutation(api.links.confirm, { linkId });
  expect(await quota(all.asha)).toMatchObject({ pieces: { left: 16 } });
});
