/** What misbehaves, on either side, gets an answer in words; everybody else is served as before. */

import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { type Running, removeFolder, start } from "./deployment.ts";

const query = makeFunctionReference<"query">;
const mutation = makeFunctionReference<"mutation">;
const action = makeFunctionReference<"action">;

let deployment: Running;
let client: ConvexHttpClient;

beforeAll(async () => {
  deployment = await start();
  client = new ConvexHttpClient(deployment.url, { logger: false });
});
afterEach(async () => {
  expect(await client.query(query("values:echo"), { value: "alive" })).toBe("alive");
  expect(await client.mutation(mutation("messages:send"), { channel: "alive", author: "a", body: "x" })).toEqual(expect.any(String));
  expect(deployment.process.exitCode).toBeNull();
});
afterAll(async () => {
  await deployment.stop();
  removeFolder(deployment.state);
});

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

  test("a loop in an action: queries go on, and after a while so do actions", async () => {
    const looping = expect(client.action(action("hostile:spinInAction"), {})).rejects.toThrow("Transient error while executing action");
    expect(await client.query(query("values:echo"), { value: 2 })).toBe(2);
    await looping;
    expect(await client.action(action("values:echoFromAction"), { value: 3 })).toBe(3);
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
