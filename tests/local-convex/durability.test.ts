/** Twenty times killed under load: nothing acknowledged is lost, no job is lost or runs twice. */

import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { expect, test } from "vitest";

import { type Running, eventually, removeFolder, start } from "./deployment.ts";
import { Random } from "./random_values.ts";

const KILLS = 20;
const WRITERS = 4;

const announce = makeFunctionReference<"mutation">("jobs:announce");
const announced = makeFunctionReference<"query">("jobs:announced");
type Announced = { notes: string[]; counters: [string, number][] };

/** Write until the deployment is gone; gives the keys whose writing was acknowledged. */
async function writeUntilGone(url: string, name: string, enough: (written: number) => void): Promise<string[]> {
  const client = new ConvexHttpClient(url, { logger: false });
  const acknowledged: string[] = [];
  for (let i = 0; ; i += 1) {
    const key = `${name}-${String(i)}`;
    try {
      await client.mutation(announce, { key }, { skipQueue: true });
    } catch {
      return acknowledged;
    }
    acknowledged.push(key);
    enough(acknowledged.length);
  }
}

test(
  "killed in the middle of writing",
  async () => {
    const random = new Random(31);
    const acknowledged: string[] = [];
    let deployment: Running = await start();
    const { state } = deployment;
    try {
      for (let round = 0; round < KILLS; round += 1) {
        // Killed after a random number of acknowledged writes: the moment is another one each time.
        const enough = 1 + random.below(25);
        const reached = new Promise<void>((resolve) => {
          const writers = Array.from({ length: WRITERS }, (_, writer) =>
            writeUntilGone(deployment.url, `${String(round)}-${String(writer)}`, (written) => {
              if (written >= enough) resolve();
            }),
          );
          void Promise.all(writers).then((keys) => acknowledged.push(...keys.flat()));
        });
        await reached;
        await deployment.kill();
        deployment = await start({ state });
      }
      expect(acknowledged.length).toBeGreaterThan(KILLS * WRITERS);
      const client = new ConvexHttpClient(deployment.url, { logger: false });
      const found = await eventually(
        async () => (await client.query(announced, {})) as Announced,
        ({ notes, counters }) => counters.filter(([name]) => name !== "cron").length >= notes.length,
        20_000,
      );
      const notes = new Set(found.notes);
      expect(acknowledged.filter((key) => !notes.has(key))).toEqual([]);
      expect(found.notes).toHaveLength(notes.size);
      const counters = new Map(found.counters);
      expect([...notes].filter((key) => counters.get(key) !== 1)).toEqual([]);
      // The interval cron of an hour ran at the first start and not at the twenty others.
      expect(counters.get("cron")).toBe(1);
    } finally {
      await deployment.kill();
      removeFolder(state);
    }
  },
  60_000,
);

test("a job that was waiting runs after the restart, an action that had begun does not", async () => {
  let deployment = await start();
  const { state } = deployment;
  const later = makeFunctionReference<"mutation">("jobs:later");
  const count = makeFunctionReference<"query">("jobs:count");
  const jobState = makeFunctionReference<"query">("jobs:state");
  try {
    let client = new ConvexHttpClient(deployment.url, { logger: false });
    await client.mutation(later, { path: "jobs:increment", ms: 800, args: { name: "waiting" } });
    const begun = (await client.mutation(later, { path: "jobs:act", ms: 0, args: { name: "begun", ms: 60_000 } })) as string;
    await eventually(async () => ((await client.query(jobState, { id: begun })) as { state: { kind: string } }).state.kind, (kind) => kind === "inProgress");
    await deployment.kill();
    deployment = await start({ state });
    client = new ConvexHttpClient(deployment.url, { logger: false });
    expect(await client.query(jobState, { id: begun })).toMatchObject({ state: { kind: "failed", error: "Transient error while executing action" } });
    await eventually(() => client.query(count, { name: "waiting" }), (value) => value === 1);
    expect(await client.query(count, { name: "begun" })).toBe(0);
  } finally {
    await deployment.kill();
    removeFolder(state);
  }
});
