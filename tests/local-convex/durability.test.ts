/** Twenty times killed under load: nothing acknowledged is lost, no job is lost or runs twice. */

import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

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

test("killed in the middle of uploads: what was acknowledged is whole, what was not is gone", async () => {
  let deployment = await start();
  const { state } = deployment;
  const acknowledged = new Map<string, Buffer>();
  const uploadUrl = makeFunctionReference<"mutation">("files:uploadUrl");
  const fileUrl = makeFunctionReference<"query">("files:url");
  const allFiles = makeFunctionReference<"query">("files:all");
  try {
    for (const enough of [1, 4, 9]) {
      const target = (await new ConvexHttpClient(deployment.url, { logger: false }).mutation(uploadUrl, {})) as string;
      let count = 0;
      const reached = new Promise<void>((resolve) => {
        const uploadUntilGone = async (): Promise<void> => {
          for (;;) {
            const bytes = randomBytes(200_000);
            const response = await fetch(target, { method: "POST", body: bytes });
            acknowledged.set(((await response.json()) as { storageId: string }).storageId, bytes);
            count += 1;
            if (count >= enough) resolve();
          }
        };
        for (let i = 0; i < WRITERS; i += 1) uploadUntilGone().catch(() => undefined);
      });
      await reached;
      await deployment.kill();
      deployment = await start({ state });
    }
    const client = new ConvexHttpClient(deployment.url, { logger: false });
    for (const [id, bytes] of acknowledged) {
      const response = await fetch((await client.query(fileUrl, { id })) as string);
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    }
    // As many blobs as documents: none without the other.
    expect(readdirSync(join(state, "files"))).toHaveLength(((await client.query(allFiles, {})) as unknown[]).length);
  } finally {
    await deployment.kill();
    removeFolder(state);
  }
});

test("time goes on when the clock was turned back between two starts", async () => {
  let deployment = await start();
  const { state } = deployment;
  const send = makeFunctionReference<"mutation">("messages:send");
  const get = makeFunctionReference<"query">("messages:get");
  const timestamp = async (): Promise<bigint> => {
    const { ts } = (await (await fetch(`${deployment.url}/api/query_ts`, { method: "POST" })).json()) as { ts: string };
    return Buffer.from(ts, "base64").readBigUInt64LE();
  };
  const created = async (): Promise<number> => {
    const client = new ConvexHttpClient(deployment.url, { logger: false });
    const id = (await client.mutation(send, { channel: "clock", author: "a", body: "x" })) as string;
    return ((await client.query(get, { id })) as { _creationTime: number })._creationTime;
  };
  try {
    await deployment.stop();
    const hourAheadMs = Date.now() + 3_600_000;
    const database = new DatabaseSync(join(state, "convex.sqlite"));
    database.prepare("UPDATE meta SET value = ? WHERE key = 'clock'").run(`${String(hourAheadMs)}000000 ${String(hourAheadMs)}`);
    database.close();
    deployment = await start({ state });
    const before = await timestamp();
    expect(before).toBeGreaterThan(BigInt(hourAheadMs) * 1_000_000n);
    const first = await created();
    expect(first).toBeGreaterThan(hourAheadMs);
    const between = await timestamp();
    expect(between).toBeGreaterThan(before);
    await deployment.kill();
    deployment = await start({ state });
    expect(await timestamp()).toBeGreaterThan(between);
    expect(await created()).toBeGreaterThan(first);
  } finally {
    await deployment.kill();
    removeFolder(state);
  }
});
