/** The sync protocol: with the unmodified ConvexClient, and frame by frame. */

import { randomUUID } from "node:crypto";

import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { type FunctionReference, makeFunctionReference } from "convex/server";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { type Running, issuer, removeFolder, start } from "./deployment.ts";
import { Arrivals, type Frame, Wire } from "./wire.ts";

const query = (path: string): FunctionReference<"query"> => makeFunctionReference<"query">(path);
const mutation = (path: string): FunctionReference<"mutation"> => makeFunctionReference<"mutation">(path);
const action = (path: string): FunctionReference<"action"> => makeFunctionReference<"action">(path);

let deployment: Running;
let http: ConvexHttpClient;
let tokens: Awaited<ReturnType<typeof issuer>>;
const open: { close: () => unknown }[] = [];

beforeAll(async () => {
  tokens = await issuer();
  deployment = await start({ env: tokens.env });
  http = new ConvexHttpClient(deployment.url, { logger: false });
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});
afterAll(async () => {
  await deployment.stop();
  removeFolder(deployment.state);
});

function newClient(url = deployment.url): ConvexClient {
  const client = new ConvexClient(url, { unsavedChangesWarning: false, logger: false });
  open.push(client);
  return client;
}

function newWire(): Wire {
  const wire = new Wire(deployment.url);
  open.push(wire);
  return wire;
}

describe("ConvexClient", () => {
  test("sees its own and others' writes live", async () => {
    const [client, other] = [newClient(), newClient()];
    const seen = new Arrivals<string[]>();
    client.onUpdate(query("messages:bodies"), { channel: "live" }, seen.add);
    await seen.until((all) => all.length === 1);
    const id = (await client.mutation(mutation("messages:send"), { channel: "live", author: "a", body: "one" })) as string;
    expect(seen.all.at(-1)).toEqual(["one"]);
    await other.mutation(mutation("messages:send"), { channel: "live", author: "b", body: "two" });
    await seen.until((all) => all.at(-1)?.length === 2);
    await http.mutation(mutation("messages:edit"), { id, body: "ONE" });
    await seen.until((all) => all.at(-1)?.[0] === "ONE");
    await http.mutation(mutation("messages:remove"), { id });
    expect((await seen.until((all) => all.at(-1)?.length === 1)).at(-1)).toEqual(["two"]);
  });

  test("mutations run in order, errors carry their data, actions answer", async () => {
    const client = newClient();
    await Promise.all(Array.from({ length: 20 }, (_, i) => client.mutation(mutation("messages:send"), { channel: "order", author: "a", body: String(i) })));
    expect(await client.query(query("messages:bodies"), { channel: "order" })).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    await expect(client.mutation(mutation("behavior:fail"), { how: "convex" })).rejects.toMatchObject({ data: { code: "refused", count: 3n } });
    await expect(client.action(action("behavior:failAction"), { how: "convex" })).rejects.toMatchObject({ data: { code: "refused" } });
    expect(await client.action(action("values:echoFromAction"), { value: 7n })).toBe(7n);
    await expect(client.query(query("messages:secret"), {})).rejects.toThrow("Could not find public function for 'messages:secret'");
  });

  test("a query that fails tells so, and recovers when its data does", async () => {
    const client = newClient();
    const id = (await http.mutation(mutation("samples:add"), { rows: [{ a: "twice" }, { a: "twice" }] })) as string[];
    const failures = new Arrivals<string>();
    const values = new Arrivals<unknown>();
    client.onUpdate(query("samples:unique"), { a: "twice" }, values.add, (error) => {
      failures.add(error.message);
    });
    await failures.until((all) => all.length === 1);
    expect(failures.all[0]).toContain("unique() query returned more than one result from table samples");
    await http.mutation(mutation("samples:writes"), { id: id[0], op: "delete" });
    await values.until((all) => all.length === 1);
  });

  test("signs in, and its queries run again as somebody", async () => {
    const client = newClient();
    const seen = new Arrivals<{ subject: string } | null>();
    client.onUpdate(query("callers:me"), {}, seen.add);
    await seen.until((all) => all.length === 1);
    expect(seen.all[0]).toBeNull();
    const changes = new Arrivals<boolean>();
    client.setAuth(() => tokens.sign({}, { subject: "web:9" }), changes.add);
    await changes.until((all) => all.includes(true));
    await seen.until((all) => all.at(-1)?.subject === "web:9");
    expect(await client.mutation(mutation("callers:meFromMutation"), {})).toMatchObject({ subject: "web:9" });
  });

  test("is told of a token that does not hold", async () => {
    const client = newClient();
    const changes = new Arrivals<boolean>();
    client.setAuth(() => tokens.sign({}, { audience: "other" }), changes.add);
    expect((await changes.until((all) => all.length > 0))[0]).toBe(false);
  });

  test("a live page keeps its end while rows come and go before it", async () => {
    const client = newClient();
    const send = (body: string): Promise<unknown> => http.mutation(mutation("messages:send"), { channel: "page", author: "a", body });
    const first = (await send("1")) as string;
    for (const body of ["2", "3", "4", "5"]) await send(body);
    const seen = new Arrivals<{ page: { body: string }[]; continueCursor: string }>();
    const bodies = (): string[] => seen.all.at(-1)?.page.map(({ body }) => body) ?? [];
    client.onUpdate(query("messages:page"), { channel: "page", paginationOpts: { numItems: 3, cursor: null, id: 1 } }, seen.add);
    await seen.until(() => bodies().length === 3);
    const end = seen.all.at(-1)?.continueCursor;
    await http.mutation(mutation("messages:remove"), { id: first });
    await seen.until(() => bodies().length === 2);
    // It does not reach for row 4 to fill up: that one is on the next page.
    expect(bodies()).toEqual(["2", "3"]);
    expect(seen.all.at(-1)?.continueCursor).toBe(end);
    const fresh = (await http.query(query("messages:page"), { channel: "page", paginationOpts: { numItems: 3, cursor: null } })) as { page: { body: string }[] };
    expect(fresh.page.map(({ body }) => body)).toEqual(["2", "3", "4"]);
  });
});

describe("frames", () => {
  test("versions chain, and unchanged values are not sent again", async () => {
    const wire = await newWire().connect();
    wire.add(0, 0, "messages:bodies", { channel: "frames" });
    wire.add(1, 1, "values.js:echo", { value: 5 });
    await wire.frames.until((frames) => frames.some((frame) => (frame["endVersion"] as { querySet: number } | undefined)?.querySet === 2));
    wire.mutate(0, "messages:send", { channel: "frames", author: "a", body: "x" });
    wire.mutate(1, "behavior:fail", { how: "error" });
    await wire.untilCount("MutationResponse", 2);
    await wire.frames.until((frames) => frames.findLastIndex(({ type }) => type === "Transition") > frames.findLastIndex(({ type }) => type === "MutationResponse"));
    const transitions = wire.of("Transition") as unknown as { startVersion: object; endVersion: { ts: string }; modifications: { queryId: number; logLines: unknown[] }[] }[];
    expect(transitions[0]?.startVersion).toEqual({ querySet: 0, identity: 0, ts: "AAAAAAAAAAA=" });
    for (let i = 1; i < transitions.length; i += 1) expect(transitions[i]?.startVersion).toEqual(transitions[i - 1]?.endVersion);
    const times = transitions.map(({ endVersion }) => Buffer.from(endVersion.ts, "base64").readBigUInt64LE());
    expect([...times].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))).toEqual(times);
    expect(transitions.flatMap(({ modifications }) => modifications).filter(({ queryId }) => queryId === 1)).toHaveLength(1);
    const [success, failure] = wire.of("MutationResponse");
    expect(success).toMatchObject({ success: true, requestId: 0, logLines: [] });
    expect(failure).toMatchObject({ success: false, requestId: 1, result: expect.stringContaining("boom") as string, logLines: [] });
    expect(Buffer.from(success?.["ts"] as string, "base64").readBigUInt64LE()).toBeLessThanOrEqual(times.at(-1) ?? 0n);
  });

  test("a transition follows every mutation, also one that changes nothing watched and one that fails", async () => {
    const wire = await newWire().connect();
    wire.mutate(0, "messages:send", { channel: "unwatched", author: "a", body: "x" });
    await wire.untilCount("Transition", 1);
    wire.mutate(1, "behavior:fail", { how: "error" });
    await wire.untilCount("Transition", 2);
  });

  test("a mutation sent again in its session is answered without running again", async () => {
    const session = randomUUID();
    const first = await newWire().connect(session);
    first.mutate(0, "messages:send", { channel: "once", author: "a", body: "x" });
    const [before] = await first.untilCount("MutationResponse", 1);
    first.close();
    const second = await newWire().connect(session);
    second.mutate(0, "messages:send", { channel: "once", author: "a", body: "x" });
    const [after] = await second.untilCount("MutationResponse", 1);
    expect(after).toEqual(before);
    expect(await http.query(query("messages:bodies"), { channel: "once" })).toEqual(["x"]);
  });

  test("only what was read counts: limits, empty ranges, search, system tables", async () => {
    const wire = await newWire().connect();
    const send = (channel: string, body: string): Promise<unknown> => http.mutation(mutation("messages:send"), { channel, author: "a", body });
    wire.add(0, 0, "messages:bodies", { channel: "still empty" });
    wire.add(1, 1, "messages:search", { text: "saffron" });
    wire.add(2, 2, "files:all", {});
    await wire.frames.until((frames) => frames.some((frame) => (frame["endVersion"] as { querySet: number } | undefined)?.querySet === 3));
    const updates = (): number[] => wire.of("Transition").flatMap((frame) => (frame["modifications"] as { queryId: number }[]).map(({ queryId }) => queryId));
    const before = updates().length;
    await send("elsewhere", "nothing of it");
    await send("elsewhere", "saffron robes");
    await wire.frames.until(() => updates().length === before + 1);
    await send("still empty", "not any more");
    await wire.frames.until(() => updates().length === before + 2);
    const url = (await http.mutation(mutation("files:uploadUrl"), {})) as string;
    await fetch(url, { method: "POST", body: "x" });
    await wire.frames.until(() => updates().length === before + 3);
    expect(updates().slice(before)).toEqual([1, 0, 2]);
  });

  test("a query runs again only when what it read has changed, and once for all who watch it", async () => {
    const send = (channel: string): Promise<unknown> => http.mutation(mutation("messages:send"), { channel, author: "a", body: "x" });
    const [wire, other] = await Promise.all([newWire().connect(), newWire().connect()]);
    // Its value is another one at each run.
    wire.add(0, 0, "behavior:dice", { channel: "dice" });
    wire.add(1, 1, "messages:bodies", { channel: "not dice" });
    other.add(0, 0, "behavior:dice", { channel: "dice" });
    const values = (from: Wire, queryId: number): unknown[] =>
      from.of("Transition").flatMap((frame) => (frame["modifications"] as { queryId: number; value: unknown }[]).filter((change) => change.queryId === queryId).map(({ value }) => value));
    await wire.frames.until(() => values(wire, 0).length === 1 && values(wire, 1).length === 1);
    await send("not dice");
    await wire.frames.until(() => values(wire, 1).length === 2);
    await send("dice");
    const isNewest = (from: Wire) => (): boolean => (values(from, 0).at(-1) as number[])[0] === 1;
    await wire.frames.until(isNewest(wire));
    await other.frames.until(isNewest(other));
    expect(values(wire, 0)).toHaveLength(2);
    expect(values(other, 0)).toEqual(values(wire, 0));
  });

  test("a table that does not exist yet can be watched", async () => {
    const wire = await newWire().connect();
    wire.add(0, 0, "behavior:readUnknown", {});
    await wire.untilCount("Transition", 1);
    await http.mutation(mutation("behavior:createUnknown"), { text: "now" });
    const transitions = await wire.untilCount("Transition", 2);
    expect(transitions[1]).toMatchObject({ modifications: [{ type: "QueryUpdated", value: [{ text: "now" }] }] });
  });

  test("queries can be removed, and come back with all their value", async () => {
    const wire = await newWire().connect();
    wire.add(0, 4, "values:echo", { value: "x" });
    await wire.untilCount("Transition", 1);
    wire.send({ type: "ModifyQuerySet", baseVersion: 1, newVersion: 2, modifications: [{ type: "Remove", queryId: 4 }] });
    wire.add(2, 4, "values:echo", { value: "x" });
    await wire.frames.until((frames) => (frames.at(-1)?.["endVersion"] as { querySet: number } | undefined)?.querySet === 3);
    const changes = wire.of("Transition").flatMap((frame) => (frame["modifications"] as Frame[]).map(({ type }) => type));
    expect(changes).toEqual(["QueryUpdated", "QueryRemoved", "QueryUpdated"]);
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "7"],
    ["an unknown type", { type: "Nonsense" }],
    ["a wrong base version", { type: "ModifyQuerySet", baseVersion: 7, newVersion: 8, modifications: [] }],
    ["a version that does not grow", { type: "ModifyQuerySet", baseVersion: 0, newVersion: 0, modifications: [] }],
    ["an unknown query removed", { type: "ModifyQuerySet", baseVersion: 0, newVersion: 1, modifications: [{ type: "Remove", queryId: 9 }] }],
    ["a mutation without arguments", { type: "Mutation", requestId: 0, udfPath: "messages:send" }],
    ["a path that is none", { type: "Mutation", requestId: 0, udfPath: "a b", args: [{}] }],
    ["a wrong identity version", { type: "Authenticate", tokenType: "None", baseVersion: 3 }],
  ] as [string, object | string][])("breaking the protocol is fatal: %s", async (_, frame) => {
    const wire = await newWire().connect();
    wire.send(frame);
    await wire.untilCount("FatalError", 1);
    await wire.closed;
    expect(await http.query(query("values:echo"), { value: 1 })).toBe(1);
  });

  test("binary frames are refused", async () => {
    const wire = await newWire().connect();
    wire.sendBytes(new Uint8Array([1, 2, 3]));
    await wire.untilCount("FatalError", 1);
  });

  test("a token that does not hold ends the connection with AuthError", async () => {
    const wire = await newWire().connect();
    wire.send({ type: "Authenticate", tokenType: "User", value: "nonsense", baseVersion: 0 });
    expect(await wire.untilCount("AuthError", 1)).toMatchObject([{ baseVersion: 0, authUpdateAttempted: true }]);
    await wire.closed;
  });

  test("the administrator may watch internal queries", async () => {
    const wire = await newWire().connect();
    wire.send({ type: "Authenticate", tokenType: "Admin", value: deployment.adminKey, baseVersion: 0 });
    wire.add(0, 0, "messages:secret", {});
    await wire.frames.until((frames) => frames.some((frame) => JSON.stringify(frame).includes("only for functions")));
  });

  test("fifty clients on one query all see one write", async () => {
    const wires = await Promise.all(Array.from({ length: 50 }, () => newWire().connect()));
    for (const wire of wires) wire.add(0, 0, "messages:bodies", { channel: "many" });
    await Promise.all(wires.map((wire) => wire.untilCount("Transition", 1)));
    await http.mutation(mutation("messages:send"), { channel: "many", author: "a", body: "to all" });
    await Promise.all(wires.map((wire) => wire.frames.until((frames) => JSON.stringify(frames.at(-1)).includes("to all"))));
  });
});

describe("restart", () => {
  test("clients come back by themselves, timestamps go on, pending mutations run once", async () => {
    const first = await start();
    const { port } = new URL(first.url);
    const client = newClient(first.url);
    const seen = new Arrivals<string[]>();
    client.onUpdate(query("messages:bodies"), { channel: "r" }, seen.add);
    await client.mutation(mutation("messages:send"), { channel: "r", author: "a", body: "before" });
    await seen.until((all) => all.at(-1)?.length === 1);
    await first.kill();
    const pending = client.mutation(mutation("messages:send"), { channel: "r", author: "a", body: "meanwhile" });
    const second = await start({ state: first.state, port: Number(port) });
    try {
      await pending;
      expect((await seen.until((all) => all.at(-1)?.length === 2)).at(-1)).toEqual(["before", "meanwhile"]);
    } finally {
      await client.close();
      await second.stop();
      removeFolder(first.state);
    }
  });
});
