/** What misbehaves, on either side, gets an answer in words; everybody else is served as before. */

import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { type Running, eventually, removeFolder, start } from "./deployment.ts";
import { Wire } from "./wire.ts";

const query = makeFunctionReference<"query">;
const mutation = makeFunctionReference<"mutation">;
const action = makeFunctionReference<"action">;

let deployment: Running;
let client: ConvexHttpClient;

/** A deployment of its own, in which an action loops while everything else here is tested: it takes its time to be ended. */
let looping: { deployment: Running; client: ConvexHttpClient; ended: Promise<string> };

beforeAll(async () => {
  const [first, second] = await Promise.all([start(), start()]);
  deployment = first;
  client = new ConvexHttpClient(deployment.url, { logger: false });
  const other = new ConvexHttpClient(second.url, { logger: false });
  const ended = other.action(action("hostile:spinInAction"), {}).then(
    () => "it came to an end",
    (error: unknown) => String(error),
  );
  looping = { deployment: second, client: other, ended };
});
afterEach(async () => {
  expect(await client.query(query("values:echo"), { value: "alive" })).toBe("alive");
  expect(await client.mutation(mutation("messages:send"), { channel: "alive", author: "a", body: "x" })).toEqual(expect.any(String));
  expect(deployment.process.exitCode).toBeNull();
});
afterAll(async () => {
  for (const each of [deployment, looping.deployment]) {
    await each.stop();
    removeFolder(each.state);
  }
});

async function newWire(): Promise<Wire> {
  const wire = await new Wire(deployment.url).connect();
  onTestFinished(() => {
    wire.close();
  });
  return wire;
}

type Answer = { status: number; body: Record<string, unknown> };

async function post(path: string, body: string): Promise<Answer> {
  const response = await fetch(`${deployment.url}${path}`, { method: "POST", body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const ODD = ["null", "undefined", "symbol", "bare", "bigint", "function", "proxy", "circle", "an unreadable message", "a message that is none", "false ConvexError"];

describe("odd things", () => {
  test.each(ODD)("thrown: %s", async (kind) => {
    await expect(client.query(query("hostile:throwFromQuery"), { kind })).rejects.toThrow("Server Error");
    await expect(client.mutation(mutation("hostile:throwFromMutation"), { kind })).rejects.toThrow("Server Error");
    await expect(client.action(action("hostile:throwFromAction"), { kind })).rejects.toThrow("Server Error");
    expect(await client.action(action("hostile:rejectUnheard"), { kind })).toBe("survived");
    expect(await client.query(query("behavior:notes"), {})).toEqual([]);
  });

  test.each(["symbol", "function", "proxy", "circle"])("returned: %s", async (kind) => {
    await expect(client.query(query("hostile:giveFromQuery"), { kind })).rejects.toThrow("Server Error");
    await expect(client.action(action("hostile:giveFromAction"), { kind })).rejects.toThrow("Server Error");
  });

  test("a failure passes from a query through an action", async () => {
    await expect(client.action(action("hostile:sequences"), {})).rejects.toThrow("Server Error");
  });
});

describe("without end", () => {
  test("loops in mutations are undone", async () => {
    await expect(client.mutation(mutation("hostile:spinInMutation"), {})).rejects.toThrow("Function execution timed out (maximum duration: 1s)");
    await expect(client.mutation(mutation("hostile:nestedSpin"), {})).rejects.toThrow("timed out");
    expect(await client.query(query("behavior:notes"), {})).toEqual([]);
  });

  test("microtasks that an answered query leaves behind end too", async () => {
    await expect(client.query(query("hostile:spinAfterwards"), {})).rejects.toThrow("timed out");
  });

  test("recursion", async () => {
    await expect(client.query(query("hostile:recursion"), {})).rejects.toThrow("Maximum call stack size exceeded");
  });

  test("an action that never ends holds up nobody", async () => {
    const cut = new AbortController();
    const body = JSON.stringify({ path: "hostile:neverInAction", args: {} });
    const never = fetch(`${deployment.url}/api/action`, { method: "POST", body, signal: cut.signal });
    expect(await client.action(action("values:echoFromAction"), { value: 1 })).toBe(1);
    cut.abort();
    await expect(never).rejects.toThrow();
  });

  test("an error in a timer of an action, and process.exit", async () => {
    expect(await client.action(action("hostile:throwInTimer"), {})).toBe("survived");
    await expect(client.action(action("hostile:exit"), {})).rejects.toThrow("Transient error while executing action");
    expect(await client.action(action("values:echoFromAction"), { value: 1 })).toBe(1);
  });
});

describe("bodies", () => {
  const nested = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;

  test.each([64, 1_000, 500_000])("%i levels deep", async (levels) => {
    const { status, body } = await post("/api/query", `{"path":"values:echo","args":{"value":${nested(levels)}}}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: "error", errorMessage: expect.stringContaining("too nested") as string });
  });

  test("names of the prototype are names like any other", async () => {
    for (const name of ["__proto__", "constructor", "prototype", "toString"]) {
      const value = `{"${name}":{"polluted":true}}`;
      const { body } = await post("/api/query", `{"path":"hostile:fieldsOf","args":{"value":${value}}}`);
      expect(body).toMatchObject({ status: "success", value: { polluted: null } });
      expect(await post("/api/query", `{"path":"values:typed","args":${value}}`)).toMatchObject({ body: { status: "error", errorMessage: expect.stringContaining("ArgumentValidationError") as string } });
      expect((await post("/api/query", `{"path":"${name}:${name}","args":{}}`)).body["errorMessage"]).toContain("Could not find public function");
      expect(await post("/api/mutation", `{"path":"hostile:keepAnything","args":{"value":${value}}}`)).toMatchObject({ body: { status: "success" } });
      expect((await post("/api/query", `{"path":"values:echo","args":{"value":1},"format":"${name}"}`)).status).toBe(400);
    }
    expect(await post("/api/query", '{"__proto__":{"path":"values:echo","args":{"value":1}}}')).toMatchObject({ status: 400, body: { code: "BadJsonBody" } });
  });

  test("numbers beyond all bounds do not become null", async () => {
    const { body } = await post("/api/query", '{"path":"hostile:number","args":{"value":1e999}}');
    expect(body).toMatchObject({ status: "error", errorMessage: expect.stringContaining("out of range") as string });
  });

  test.each([
    ["a batch of no objects", "/api/query_batch", '{"queries":[null,7]}', 400, "BadJsonBody"],
    ["a batch that is none", "/api/query_batch", '{"queries":{}}', 400, "BadJsonBody"],
    ["a path with half an escape", "/api/run/%E0%A4%A/x", '{"args":{}}', 400, "MissingIdentifier"],
    ["a path of a million letters", "/api/query", `{"path":"${"a".repeat(1_000_000)}","args":{}}`, 400, "BadConvexFunctionIdentifier"],
    ["bytes that are no UTF-8", "/api/query", "\ud800", 400, "BadJsonBody"],
    ["nothing", "/api/mutation", "", 400, "BadJsonBody"],
  ])("%s", async (_, path, body, status, code) => {
    const answer = await post(path, body);
    expect(answer).toMatchObject({ status, body: { code } });
    expect((answer.body["message"] as string).length).toBeLessThan(500);
  });

  test("wrong types of every kind to every kind of function", async () => {
    const wrong = ["null", "true", "-1", "1e308", '"text"', "[]", "{}", '{"$integer":"AAAAAAAAAAA="}', '{"$bytes":"AA=="}', '{"$float":"AAAAAAAA8H8="}', '{"$unknown":1}', `"${"x".repeat(10_000)}"`];
    const functions = [
      ["mutation", "messages:send", ["channel", "author", "body"]],
      ["query", "messages:page", ["channel", "paginationOpts"]],
      ["mutation", "messages:edit", ["id", "body"]],
      ["query", "files:url", ["id"]],
      ["mutation", "files:remove", ["id"]],
      ["query", "files:metadata", ["id"]],
      ["mutation", "jobs:cancel", ["id"]],
      ["query", "messages:search", ["text", "channel"]],
      ["action", "messages:sendTwice", ["channel", "body"]],
      ["action", "vectors:similar", ["vector", "groups"]],
    ] as const;
    for (const [kind, path, names] of functions) {
      for (const value of wrong) {
        const args = `{${names.map((name) => `"${name}":${value}`).join(",")}}`;
        const { status, body } = await post(`/api/${kind}`, `{"path":"${path}","args":${args}}`);
        expect([status, body["status"]]).toEqual([200, expect.stringMatching(/^(success|error)$/)]);
      }
    }
    expect(deployment.errors()).not.toContain("request:");
  });

  test("storage ids cannot leave their folder", async () => {
    for (const id of ["../admin_key", "..%2fadmin_key", "/etc/passwd", "\\u0000", "00000000-0000-0000-0000-000000000000/../../secret"]) {
      const { body } = await post("/api/query", `{"path":"files:url","args":{"id":"${id}"}}`);
      expect(body).toMatchObject({ status: "error", errorMessage: expect.stringContaining("Invalid storage ID") as string });
      expect((await fetch(`${deployment.url}/api/storage/${encodeURIComponent(id)}`)).status).toBe(400);
    }
  });
});

describe("frames", () => {
  const add = (queryId: string, udfPath: string, args: string): string =>
    `{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{"type":"Add","queryId":${queryId},"udfPath":${udfPath},"args":[${args}]}]}`;

  test.each([
    ["a path that is no ASCII", add("0", JSON.stringify("\u{1f3b6}".repeat(200)), "{}")],
    ["arguments 500,000 levels deep", add("0", '"values:echo"', `{"value":${"[".repeat(500_000)}${"]".repeat(500_000)}}`)],
    ["a type 500,000 levels deep", `{"type":${"[".repeat(500_000)}${"]".repeat(500_000)}}`],
    ["a query id that is none", add("-1", '"values:echo"', "{}")],
    ["a query id beyond all numbers", add("1e300", '"values:echo"', "{}")],
    ["an identity of numbers", '{"type":"Authenticate","tokenType":"User","value":7,"baseVersion":0}'],
    ["modifications that are none", '{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[null]}'],
    ["a frame named as the prototype", '{"type":"__proto__"}'],
    ["a timestamp that is none", '{"type":"Connect","sessionId":"x","maxObservedTimestamp":"AAAA"}'],
    ["a session of a million letters", `{"type":"Connect","sessionId":"${"x".repeat(1_000_000)}"}`],
    ["null", "null"],
    ["nothing", ""],
  ])("refused in words: %s", async (_, frame) => {
    const wire = await newWire();
    wire.send(frame);
    const [fatal] = await wire.untilCount("FatalError", 1);
    expect((fatal?.["error"] as string).length).toBeLessThan(500);
    expect(await wire.closed).toBe(1008);
  });

  test("a frame too large for any argument ends the connection", async () => {
    const wire = await newWire();
    wire.send(`{"type":"Event","filler":"${"x".repeat(33 << 20)}"}`);
    // "Too big", unless the connection is reset before that is read, as most of the frame has still to be sent.
    expect([1009, 1006]).toContain(await wire.closed);
  });

  test("wrong arguments and unknown functions are answered, and the connection goes on", async () => {
    const wire = await newWire();
    wire.send('{"type":"Mutation","requestId":0,"udfPath":"messages:send","args":[{"__proto__":{"channel":"x"}}]}');
    wire.send(`{"type":"Mutation","requestId":1,"udfPath":"messages:send","args":[${"[".repeat(1_000)}${"]".repeat(1_000)}]}`);
    wire.send('{"type":"Mutation","requestId":2,"udfPath":"messages:nothing","args":[{}]}');
    wire.send('{"type":"Mutation","requestId":3,"udfPath":"messages:secretWrite","args":[{"body":"x"}]}');
    wire.send('{"type":"Mutation","requestId":4,"udfPath":"messages:send","args":[7,8]}');
    wire.send('{"type":"Action","requestId":5,"udfPath":"__proto__:constructor","args":[{}]}');
    wire.send(add("0", '"messages:secret"', "{}"));
    const responses = [...(await wire.untilCount("MutationResponse", 5)), ...(await wire.untilCount("ActionResponse", 1))];
    for (const response of responses) expect(response).toMatchObject({ success: false, result: expect.stringContaining("Server Error") as string });
    await wire.frames.until((frames) => JSON.stringify(frames).includes("Could not find public function for 'messages:secret'"));
    wire.mutate(6, "messages:send", { channel: "hostile", author: "a", body: "still here" });
    expect((await wire.untilCount("MutationResponse", 6)).at(-1)).toMatchObject({ success: true });
  });

  test("who does not read gets fewer updates, and at last the newest", async () => {
    const rounds = 40;
    const wire = await newWire();
    const text = (round: number): string => `${String(round)} ${"x".repeat(900_000)}`;
    const id = (await client.mutation(mutation("messages:send"), { channel: "slow", author: "a", body: text(0) })) as string;
    wire.add(0, 0, "messages:bodies", { channel: "slow" });
    await wire.untilCount("Transition", 1);
    wire.pause();
    for (let round = 1; round <= rounds; round += 1) await client.mutation(mutation("messages:edit"), { id, body: text(round) });
    wire.resume();
    await wire.frames.until((frames) => JSON.stringify(frames.at(-1)).includes(`"${String(rounds)} x`));
    expect(wire.of("Transition").length).toBeLessThan(rounds);
  });

  test("who asks on and on without reading the answers is cut off", async () => {
    const wire = await newWire();
    wire.pause();
    for (let requestId = 0; requestId < 40; requestId += 1) wire.send({ type: "Action", requestId, udfPath: "hostile:large", args: [{ bytes: 4 << 20 }] });
    await eventually(() => Promise.resolve(deployment.errors()), (errors) => errors.includes("does not read what it is sent"));
    wire.resume();
    await wire.closed;
  });
});

describe("a loop in an action", () => {
  test("ends after a while, holds up no query or mutation before and no action after", async () => {
    expect(await looping.client.mutation(mutation("messages:send"), { channel: "looping", author: "a", body: "x" })).toEqual(expect.any(String));
    expect(await looping.client.query(query("messages:bodies"), { channel: "looping" })).toEqual(["x"]);
    expect(await looping.ended).toContain("Transient error while executing action");
    expect(await looping.client.action(action("values:echoFromAction"), { value: 3 })).toBe(3);
  });
});
