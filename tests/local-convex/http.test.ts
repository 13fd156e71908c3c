/** The HTTP API, with the unmodified ConvexHttpClient and by hand. */

import { readdirSync } from "node:fs";
import { request as rawRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";

import { ConvexHttpClient } from "convex/browser";
import { type FunctionReference, makeFunctionReference } from "convex/server";
import { ConvexError } from "convex/values";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ISSUER, type Running, eventually, issuer, removeFolder, start } from "./deployment.ts";

const query = (path: string): FunctionReference<"query"> => makeFunctionReference<"query">(path);
const mutation = (path: string): FunctionReference<"mutation"> => makeFunctionReference<"mutation">(path);
const action = (path: string): FunctionReference<"action"> => makeFunctionReference<"action">(path);

let deployment: Running;
let client: ConvexHttpClient;
let tokens: Awaited<ReturnType<typeof issuer>>;

beforeAll(async () => {
  tokens = await issuer();
  deployment = await start({ env: { ...tokens.env, OWN_VARIABLE: "seen" } });
  client = new ConvexHttpClient(deployment.url, { logger: false });
});

afterAll(async () => {
  await deployment.stop();
  removeFolder(deployment.state);
});

type Answer = { status: number; body: Record<string, unknown>; headers: Headers };

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${deployment.url}${path}`, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers };
}

describe("calls", () => {
  test("query, mutation and action", async () => {
    const id = (await client.mutation(mutation("messages:send"), { channel: "calls", author: "a", body: "hello" })) as string;
    expect(await client.query(query("messages:list"), { channel: "calls" })).toEqual([
      { _id: id, _creationTime: expect.any(Number) as number, channel: "calls", author: "a", body: "hello" },
    ]);
    expect(await client.action(action("messages:sendTwice"), { channel: "calls", body: "again" })).toBe(3);
  });

  test("consistent queries, and a default export under its module's name", async () => {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- experimental, but clients use it
    expect(await client.consistentQuery(query("behavior"), {})).toBe("the default export");
    expect(await client.query(query("behavior:default"), {})).toBe("the default export");
    expect(await client.query(query("behavior.js:default"), {})).toBe("the default export");
  });

  test("every kind of value comes back as it went", async () => {
    const value = {
      null: null,
      int: -5n,
      big: 2n ** 63n - 1n,
      float: 1.5,
      special: [Number.NaN, Number.POSITIVE_INFINITY, -0],
      bytes: new Uint8Array([0, 255, 7]).buffer,
      nested: { list: [[], {}, "ü😀\0"] },
    };
    expect(await client.query(query("values:echo"), { value })).toEqual(value);
    expect(await client.mutation(mutation("values:keep"), { value })).toEqual(value);
    expect(await client.action(action("values:echoFromAction"), { value })).toEqual(value);
  });

  test("validators see int64, bytes, records and unions", async () => {
    const args = { int: 41n, bytes: new ArrayBuffer(3), record: { a: 1, b: 2 }, union: "on", list: [true] };
    expect(await client.query(query("values:typed"), args)).toEqual({ int: 42n, length: 3, keys: ["a", "b"] });
    await expect(client.query(query("values:typed"), { ...args, int: 41 })).rejects.toThrow("Path: .int\nValue: 41.0\nValidator: v.int64()");
    await expect(client.query(query("values:typed"), { ...args, union: "off" })).rejects.toThrow('v.union(v.literal("on"), v.literal(2.0), v.null())');
    await expect(client.query(query("values:wrongReturn"), {})).rejects.toThrow("ReturnsValidationError: Value does not match validator.");
  });

  test("commit timestamps are filled in", async () => {
    const id = (await client.mutation(mutation("values:commitTimestamps"), {})) as string;
    const kept = (await client.query(query("messages:get"), { id })) as { a: bigint };
    expect(Number(kept.a / 1_000_000n)).toBeGreaterThan(Date.now() - 60_000);
  });

  test("formats: clients get the lossless one, others the readable one unless they ask", async () => {
    const args = { value: { $integer: "KgAAAAAAAAA=" } };
    expect((await post("/api/query", { path: "values:echo", args })).body["value"]).toBe("42");
    expect((await post("/api/query", { path: "values:echo", args, format: "json" })).body["value"]).toBe("42");
    expect((await post("/api/query", { path: "values:echo", args, format: "convex_encoded_json" })).body["value"]).toEqual(args.value);
    expect((await post("/api/query", { path: "values:echo", args }, { "Convex-Client": "npm-1.48.0" })).body["value"]).toEqual(args.value);
    expect(await post("/api/query", { path: "values:echo", args, format: "xml" })).toMatchObject({ status: 400, body: { code: "BadFormat" } });
  });

  test("/api/function, /api/run, /api/query_batch, GET /api/query", async () => {
    expect((await post("/api/function", { path: "values:echo", args: { value: 1 } })).body).toEqual({ status: "success", value: 1 });
    expect((await post("/api/run/values/echo", { args: { value: 2 } })).body).toEqual({ status: "success", value: 2 });
    expect((await post("/api/query_batch", { queries: [{ path: "values:echo", args: { value: 3 } }] })).body).toEqual({
      results: [{ status: "success", value: 3 }],
    });
    const got = await fetch(`${deployment.url}/api/query?path=values:echo&args=${encodeURIComponent('{"value":4}')}&format=json`);
    expect(await got.json()).toEqual({ status: "success", value: 4 });
  });
});

describe("errors", () => {
  const NOT_FOUND = (path: string): string => `Could not find public function for '${path}'. Did you forget to run \`npx convex dev\` or \`npx convex deploy\`?`;

  test("a ConvexError carries its data, anything else its message", async () => {
    const refused = client.mutation(mutation("behavior:fail"), { how: "convex" });
    await expect(refused).rejects.toBeInstanceOf(ConvexError);
    await expect(refused).rejects.toMatchObject({ data: { code: "refused", count: 3n } });
    await expect(client.mutation(mutation("behavior:fail"), { how: "error" })).rejects.toThrow(/^\[Request ID: \w+\] Server Error\nUncaught Error: boom/);
    await expect(client.mutation(mutation("behavior:fail"), { how: "string" })).rejects.toThrow("Uncaught only text");
    expect(await client.query(query("behavior:notes"), {})).toEqual([]);
  });

  test("data of a ConvexError passes through an action", async () => {
    await expect(client.action(action("behavior:failAction"), { how: "convex" })).rejects.toMatchObject({ data: { code: "refused", count: 3n } });
    await expect(client.query(query("behavior:failQuery"), {})).rejects.toMatchObject({ data: "no" });
  });

  test("what is internal or missing looks the same from outside", async () => {
    await expect(client.query(query("messages:secret"), {})).rejects.toThrow(NOT_FOUND("messages:secret"));
    await expect(client.query(query("messages:nothing"), {})).rejects.toThrow(NOT_FOUND("messages:nothing"));
    await expect(client.query(query("no/module:nothing"), {})).rejects.toThrow(NOT_FOUND("no/module:nothing"));
    await expect(client.query(query("messages:send"), {})).rejects.toThrow("Trying to execute messages.js:send as Query, but it is defined as Mutation.");
  });

  test("the administrator's key opens internal functions, a wrong one nothing", async () => {
    const admin = new ConvexHttpClient(deployment.url);
    (admin as unknown as { setAdminAuth: (key: string, user?: object) => void }).setAdminAuth(deployment.adminKey);
    expect(await admin.query(query("messages:secret"), {})).toBe("only for functions");
    (admin as unknown as { setAdminAuth: (key: string, user?: object) => void }).setAdminAuth(deployment.adminKey, { issuer: "https://a", subject: "b", name: "Asha" });
    expect(await admin.query(query("callers:me"), {})).toMatchObject({ name: "Asha", tokenIdentifier: "https://a|b" });
    expect(await post("/api/query", { path: "messages:secret", args: {} }, { Authorization: "Convex wrong" })).toMatchObject({ status: 401, body: { code: "BadAdminKey" } });
  });

  test.each([
    ["arguments that are no object", { path: "values:echo", args: "text" }, "The arguments to a Convex function must be an object."],
    ["two arguments", { path: "values:echo", args: [{}, {}] }, "The arguments to a Convex function must be an object."],
    ["a missing argument", { path: "values:echo", args: {} }, "missing the required field `value`"],
    ["an argument too many", { path: "behavior:hang", args: { more: 1 } }, "Object contains extra field `more`"],
    ["a broken value", { path: "values:echo", args: { value: { $integer: "x" } } }, "Malformed $integer"],
    ["an id of another table", { path: "messages:get", args: { id: "abc" } }, "Unable to decode ID: Invalid ID length 3"],
  ])("%s", async (_, body, message) => {
    const { status, body: answer } = await post("/api/query", body);
    expect(status).toBe(200);
    expect(answer).toMatchObject({ status: "error", errorMessage: expect.stringContaining(message) as string });
  });

  test.each([
    ["no JSON", "/api/query", "{", 400, "BadJsonBody"],
    ["no object", "/api/query", "[]", 400, "BadJsonBody"],
    ["no path", "/api/query", "{}", 400, "BadJsonBody"],
    ["no arguments", "/api/query", '{"path":"values:echo"}', 400, "BadJsonBody"],
    ["a path that is none", "/api/query", '{"path":"../../etc:x","args":{}}', 400, "BadConvexFunctionIdentifier"],
    ["a path that is no text", "/api/mutation", '{"path":7,"args":{}}', 400, "BadConvexFunctionIdentifier"],
    ["no function in /api/run", "/api/run/values", "{}", 400, "MissingIdentifier"],
    ["an unknown address", "/api/nothing", "{}", 404, "NotFound"],
    ["a bad timestamp", "/api/query_at_ts", '{"path":"values:echo","args":{},"ts":"x"}', 400, "BadTimestamp"],
  ])("%s", async (_, path, body, status, code) => {
    expect(await post(path, body)).toMatchObject({ status, body: { code, message: expect.any(String) as string } });
  });

  test("bodies are bounded", async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const request = rawRequest(`${deployment.url}/api/query`, { method: "POST", headers: { "Content-Length": String(100 << 20) } }, (response) => {
        resolve(response.statusCode ?? 0);
        request.destroy();
      });
      request.on("error", reject);
      request.flushHeaders();
    });
    expect(status).toBe(413);
    await expect(client.query(query("values:echo"), { value: ["x".repeat(17 << 20)] })).rejects.toThrow(/too large/);
  });

  test("garbage on the socket harms nobody", async () => {
    const { port, hostname } = new URL(deployment.url);
    for (const garbage of ["\0\u0001\u0002\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "GET //[ HTTP/1.1\r\nHost: [\r\n\r\n"]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.end(garbage));
        socket.on("close", () => {
          resolve();
        });
        socket.on("error", () => undefined);
        socket.resume();
      });
    }
    expect(await client.query(query("values:echo"), { value: 1 })).toBe(1);
  });
});

describe("the world of queries and mutations", () => {
  test("endless loops end, and the deployment lives on", async () => {
    await expect(client.query(query("behavior:spin"), {})).rejects.toThrow("Function execution timed out (maximum duration: 1s)");
    expect(await client.query(query("values:echo"), { value: 1 })).toBe(1);
  });

  test("a promise that nobody resolves is an error", async () => {
    await expect(client.query(query("behavior:hang"), {})).rejects.toThrow("Returned promise will never resolve");
  });

  test("no timers, no network", async () => {
    await expect(client.query(query("behavior:timers"), {})).rejects.toThrow("Can't use setTimeout in queries and mutations.");
    await expect(client.mutation(mutation("behavior:network"), {})).rejects.toThrow("Can't use fetch() in queries and mutations.");
  });

  test("time stands still", async () => {
    const { still, random } = (await client.query(query("behavior:clock"), {})) as { still: boolean; random: number[] };
    expect(still).toBe(true);
    expect(random[0]).not.toBe(random[1]);
    for (const number of random) expect(number >= 0 && number < 1).toBe(true);
  });

  test("hashing works, and its bytes can be kept", async () => {
    const digest = (await client.mutation(mutation("behavior:hash"), { text: "raga" })) as ArrayBuffer;
    const expected = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("raga"));
    expect(new Uint8Array(digest)).toEqual(new Uint8Array(expected));
  });

  test("the process's environment is theirs", async () => {
    expect(await client.query(query("behavior:environment"), { name: "OWN_VARIABLE" })).toBe("seen");
    expect(await client.action(action("behavior:environmentOfAction"), { name: "OWN_VARIABLE" })).toBe("seen");
    expect(await client.query(query("behavior:environment"), { name: "CONVEX_CLOUD_URL" })).toBe(deployment.url);
    expect(await client.query(query("behavior:environment"), { name: "CONVEX_SITE_URL" })).toBe(`${deployment.url}/http`);
    expect(await client.query(query("behavior:environment"), { name: "NOT_SET" })).toBeNull();
  });

  test("Node files run actions with Node's modules", async () => {
    expect(await client.action(action("native:sha1"), { text: "" })).toBe("da39a3ee5e6b4b0d3255bfef95601890afd80709");
  });

  test("queries do not wait for a running action", async () => {
    let isWaiting = true;
    const waiting = client.action(action("behavior:wait"), { ms: 600 }).then(() => (isWaiting = false));
    expect(await client.query(query("values:echo"), { value: 1 })).toBe(1);
    expect(isWaiting).toBe(true);
    await waiting;
  });

  test("what functions print is for nobody but --log", async () => {
    expect(await post("/api/query", { path: "behavior:log", args: {} })).toMatchObject({ body: { status: "success", value: null } });
    expect(await post("/api/action", { path: "behavior:logFromAction", args: {} })).toMatchObject({ body: { status: "success", value: null } });
    expect(deployment.errors()).not.toContain("printed by");
  });

  test("tables come into being when they are written", async () => {
    expect(await client.query(query("behavior:readUnknown"), {})).toEqual([]);
    await client.mutation(mutation("behavior:createUnknown"), { text: "x" });
    expect(await client.query(query("behavior:readUnknown"), {})).toMatchObject([{ text: "x" }]);
    await expect(client.query(query("behavior:wrongIndex"), {})).rejects.toThrow("Index messages.by_nothing not found.");
  });

  test("nested mutations are undone alone", async () => {
    await client.mutation(mutation("samples:clear"), {});
    expect(await client.mutation(mutation("samples:nested"), { fail: true })).toEqual(["outer", "caught"]);
    await client.mutation(mutation("samples:clear"), {});
    expect(await client.mutation(mutation("samples:nested"), { fail: false })).toEqual(["outer", "inner"]);
  });
});

describe("identity", () => {
  const me = async (token: string): Promise<Answer> => post("/api/query", { path: "callers:me", args: {} }, { Authorization: `Bearer ${token}` });

  test("nobody is null", async () => {
    expect(await client.query(query("callers:me"), {})).toBeNull();
    expect(await client.action(action("callers:meFromAction"), {})).toEqual([null, null]);
  });

  test("claims arrive, nested ones joined by dots", async () => {
    const claims = { role: "user", name: "Asha", email_verified: true, realm: { groups: ["a", "b"], deep: { level: 2 } } };
    const token = await tokens.sign(claims, { subject: "web:1" });
    const expected = { subject: "web:1", issuer: ISSUER, tokenIdentifier: `${ISSUER}|web:1`, role: "user", name: "Asha", emailVerified: true, "realm.groups": ["a", "b"], "realm.deep.level": 2 };
    expect((await me(token)).body["value"]).toMatchObject(expected);
    const known = new ConvexHttpClient(deployment.url, { auth: token });
    expect(await known.mutation(mutation("callers:meFromMutation"), {})).toMatchObject(expected);
    expect(await known.action(action("callers:meFromAction"), {})).toMatchObject([expected, expected]);
  });

  test("a claim cannot take the place of the subject", async () => {
    const token = await tokens.sign({ tokenIdentifier: "somebody else", subject: "somebody else" }, { subject: "me" });
    expect((await me(token)).body["value"]).toMatchObject({ subject: "me", tokenIdentifier: `${ISSUER}|me` });
  });

  test.each([
    ["another issuer", { issuer: "https://other.test" }, "NoAuthProvider"],
    ["another audience", { audience: "other" }, "NoAuthProvider"],
    ["expired", { expiresInS: -30 }, "Unauthenticated"],
    ["no key named", { kid: null }, "InvalidAuthHeader"],
    ["an unknown key", { kid: "second" }, "Unauthenticated"],
  ])("refused: %s", async (_, options, code) => {
    expect(await me(await tokens.sign({}, options))).toMatchObject({ status: 401, body: { code } });
  });

  test("a few seconds past its time a token still holds", async () => {
    expect((await me(await tokens.sign({}, { expiresInS: -2 }))).status).toBe(200);
  });

  test("refused: changed, unsigned, signed with the public key, nonsense", async () => {
    const [head = "", body = "", signature = ""] = (await tokens.sign({ role: "user" })).split(".");
    const encode = (json: object): string => Buffer.from(JSON.stringify(json)).toString("base64url");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as object;
    const forged = [`${head}.${encode({ ...claims, role: "bot" })}.${signature}`, `${encode({ alg: "none", kid: "first" })}.${body}.`, `${encode({ alg: "HS256", kid: "first" })}.${body}.${signature}`];
    for (const token of forged) expect(await me(token)).toMatchObject({ status: 401, body: { code: "Unauthenticated" } });
    for (const token of ["x", "a.b.c"]) expect(await me(token)).toMatchObject({ status: 401, body: { code: "InvalidAuthHeader" } });
    expect(await post("/api/query", { path: "callers:me", args: {} }, { Authorization: "Basic eDp5" })).toMatchObject({ status: 401, body: { code: "InvalidAuthHeader" } });
  });
});

describe("files", () => {
  async function upload(content: string | Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
    const url = (await client.mutation(mutation("files:uploadUrl"), {})) as string;
    return fetch(url, { method: "POST", body: content as BodyInit, headers });
  }

  test("upload, describe, fetch, delete", async () => {
    const { storageId } = (await (await upload("0123456789", { "Content-Type": "text/x-test" })).json()) as { storageId: string };
    const metadata: unknown = await client.query(query("files:metadata"), { id: storageId });
    expect(metadata).toMatchObject({ _id: storageId, contentType: "text/x-test", size: 10, sha256: "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882" });
    const url = (await client.query(query("files:url"), { id: storageId })) as string;
    const whole = await fetch(url);
    expect(whole.headers.get("content-type")).toBe("text/x-test");
    expect(whole.headers.get("digest")).toBe("sha-256=hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=");
    expect(await whole.text()).toBe("0123456789");
    const part = await fetch(url, { headers: { Range: "bytes=2-4" } });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/10", "234"]);
    expect(await (await fetch(url, { headers: { Range: "bytes=-3" } })).text()).toBe("789");
    expect(await (await fetch(url, { headers: { Range: "bytes=8-" } })).text()).toBe("89");
    expect((await fetch(url, { headers: { Range: "bytes=10-" } })).status).toBe(416);
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
    expect((await fetch(url, { headers: { "If-None-Match": whole.headers.get("etag") ?? "" } })).status).toBe(304);
    await client.mutation(mutation("files:remove"), { id: storageId });
    expect(await client.query(query("files:url"), { id: storageId })).toBeNull();
    expect((await fetch(url)).status).toBe(404);
  });

  test("a wrong hash is refused, a right one taken", async () => {
    expect((await upload("x", { Digest: "sha-256=AAAA" })).status).toBe(400);
    expect((await upload("x", { Digest: "sha-256=LXEWQrcmsEQBYnyp++6wy9ckJ6ckMLx8dG88Vvz8ogo=" })).status).toBe(400);
    const right = Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("x"))).toString("base64");
    expect((await upload("x", { Digest: `sha-256=${right}` })).status).toBe(200);
  });

  test("only upload addresses of this deployment are good", async () => {
    for (const token of ["", "x", `${String(Date.now() + 1e6)}.ab.cd`]) {
      expect(await post(`/api/storage/upload?token=${token}`, "x")).toMatchObject({ status: 401, body: { code: "StorageTokenInvalid" } });
    }
    expect((await fetch(`${deployment.url}/api/storage/nothing`)).status).toBe(400);
    expect((await fetch(`${deployment.url}/api/storage/00000000-0000-0000-0000-000000000000`)).status).toBe(404);
    expect((await fetch(`${deployment.url}/api/storage/..%2f..%2fadmin_key`)).status).toBe(400);
  });

  test("actions and mutations store too, and an empty file is a file", async () => {
    const stored = (await client.action(action("files:store"), { text: "from an action" })) as { id: string };
    expect(stored).toMatchObject({ text: "from an action", type: "text/plain" });
    const id: unknown = await client.mutation(mutation("files:storeInMutation"), { text: "from a mutation" });
    expect(await (await fetch((await client.query(query("files:url"), { id })) as string)).text()).toBe("from a mutation");
    const { storageId } = (await (await upload("")).json()) as { storageId: string };
    expect(await (await fetch((await client.query(query("files:url"), { id: storageId })) as string)).text()).toBe("");
    await expect(client.mutation(mutation("files:write"), { id })).rejects.toThrow("System tables can only be accessed with db.system.");
  });
});

describe("blobs on the disk", () => {
  test("a mutation that fails leaves none behind", async () => {
    const blobs = (): string[] => readdirSync(join(deployment.state, "files"));
    const before = blobs();
    await expect(client.mutation(mutation("files:storeAndFail"), { text: "of no use" })).rejects.toThrow("undone");
    expect(blobs()).toEqual(before);
  });
});

describe("HTTP actions", () => {
  test("serve their routes under /http", async () => {
    const response = await fetch(`${deployment.url}/http/echo?x=1`, { method: "POST", body: "hello" });
    expect(response.status).toBe(201);
    expect(response.headers.get("x-own")).toBe("yes");
    expect(await response.json()).toEqual({ body: "hello", pathname: "/echo", subject: null, count: 0 });
    const known = await fetch(`${deployment.url}/http/echo`, { method: "POST", headers: { Authorization: `Bearer ${await tokens.sign({}, { subject: "web:2" })}` } });
    expect(await known.json()).toMatchObject({ subject: "web:2" });
    expect(await (await fetch(`${deployment.url}/http/files/a/b`)).text()).toBe("/files/a/b");
    expect((await fetch(`${deployment.url}/http/nothing`)).status).toBe(404);
    const broken = await fetch(`${deployment.url}/http/broken`);
    expect([broken.status, await broken.json()]).toEqual([500, { code: expect.stringContaining("Server Error: Uncaught Error: broken route") as string, trace: expect.any(String) as string }]);
  });

  test("bodies come in parts, cookies one by one", async () => {
    const response = await fetch(`${deployment.url}/http/stream`);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(await response.text()).toBe("part 1;part 2;part 3;");
    const head = await fetch(`${deployment.url}/http/stream`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test("an Authorization header of another kind makes nobody of the caller", async () => {
    const response = await fetch(`${deployment.url}/http/echo`, { method: "POST", headers: { Authorization: "Basic eDp5" } });
    expect(await response.json()).toMatchObject({ subject: null });
  });
});

describe("browsers", () => {
  test("may call from any origin", async () => {
    const preflight = await fetch(`${deployment.url}/api/query`, {
      method: "OPTIONS",
      headers: { Origin: "https://app.test", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,convex-client" },
    });
    expect(preflight.status).toBe(200);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://app.test");
    expect(preflight.headers.get("access-control-allow-headers")).toBe("authorization,convex-client");
    expect((await post("/api/query", { path: "behavior", args: {} }, { Origin: "https://app.test" })).headers.get("access-control-allow-origin")).toBe("https://app.test");
  });

  test("see a line of text at the root", async () => {
    expect(await (await fetch(deployment.url)).text()).toContain("local Convex deployment");
    expect((await fetch(`${deployment.url}/version`)).status).toBe(200);
  });
});

describe("the schedule", () => {
  const state = async (id: string): Promise<string | undefined> => ((await client.query(query("jobs:state"), { id })) as { state: { kind: string } } | null)?.state.kind;
  const later = async (path: string, ms: number, args: object): Promise<string> => (await client.mutation(mutation("jobs:later"), { path, ms, args })) as string;

  test("mutations and actions run when they are due", async () => {
    const first = await later("jobs:increment", 0, { name: "due" });
    const second = await later("jobs:act", 50, { name: "due" });
    const third = (await client.action(action("jobs:laterFromAction"), { path: "jobs:increment", ms: 0, args: { name: "due" } })) as string;
    await eventually(() => client.query(query("jobs:count"), { name: "due" }), (count) => count === 3);
    for (const id of [first, second, third]) expect(await eventually(() => state(id), (kind) => kind === "success")).toBe("success");
    expect(await client.query(query("jobs:state"), { id: first })).toMatchObject({ name: "jobs.js:increment", args: [{ name: "due" }], completedTime: expect.any(Number) as number });
  });

  test("a failure is recorded and not repeated", async () => {
    const id = await later("jobs:fail", 0, {});
    await eventually(() => state(id), (kind) => kind === "failed");
    expect(await client.query(query("jobs:state"), { id })).toMatchObject({ state: { kind: "failed", error: expect.stringContaining("job failed") as string } });
  });

  test("what was cancelled does not run, and far times wait", async () => {
    const far = await later("jobs:increment", 400 * 24 * 3_600_000, { name: "far" });
    const cancelled = await later("jobs:increment", 1_000, { name: "far" });
    await client.mutation(mutation("jobs:cancel"), { id: cancelled });
    expect(await state(cancelled)).toBe("canceled");
    const marker = await later("jobs:increment", 1_100, { name: "marker" });
    await eventually(() => state(marker), (kind) => kind === "success");
    expect(await state(far)).toBe("pending");
    expect(await client.query(query("jobs:count"), { name: "far" })).toBe(0);
  });

  test("a job that is cancelled while it waits for its turn does not run", async () => {
    const id = await later("jobs:increment", 50, { name: "cancelled in time" });
    // It is due before this mutation, which takes its time, has cancelled it.
    await client.mutation(mutation("jobs:cancelSlowly"), { id });
    const marker = await later("jobs:increment", 0, { name: "marker" });
    await eventually(() => state(marker), (kind) => kind === "success");
    expect(await state(id)).toBe("canceled");
    expect(await client.query(query("jobs:count"), { name: "cancelled in time" })).toBe(0);
  });

  test("a mutation that fails schedules nothing", async () => {
    await expect(client.mutation(mutation("jobs:laterAndFail"), { name: "undone" })).rejects.toThrow("undone");
    const marker = await later("jobs:increment", 0, { name: "marker" });
    await eventually(() => state(marker), (kind) => kind === "success");
    expect(await client.query(query("jobs:count"), { name: "undone" })).toBe(0);
  });

  test("nothing can be scheduled that is not there", async () => {
    await expect(later("nowhere:x", 0, {})).rejects.toThrow("Attempted to schedule function at nonexistent path: nowhere");
    await expect(later("jobs:nothing", 0, {})).rejects.toThrow("no exported function nothing found in the file: jobs.js");
  });

  test("crons run: an interval at once, the others when they come", async () => {
    await eventually(() => client.query(query("jobs:count"), { name: "cron" }), (count) => count === 1);
    expect(await client.query(query("jobs:count"), { name: "leap day" })).toBe(0);
  });
});

describe("vector search", () => {
  test("gives the most similar first, filtered", async () => {
    const add = (label: string, group: string, embedding: number[]): Promise<unknown> => client.mutation(mutation("vectors:add"), { label, group, embedding });
    const near = await add("near", "a", [1, 0.1, 0]);
    const far = await add("far", "a", [0, 1, 0]);
    const other = await add("other", "b", [1, 0, 0]);
    const ids = async (groups: string[], limit?: number): Promise<unknown[]> =>
      ((await client.action(action("vectors:similar"), { vector: [1, 0, 0], groups, limit })) as { _id: string }[]).map(({ _id }) => _id);
    expect(await ids([])).toEqual([other, near, far]);
    expect(await ids(["a"])).toEqual([near, far]);
    expect(await ids(["b"], 1)).toEqual([other]);
    expect(await ids(["a", "b"], 1)).toEqual([other]);
    const [best] = (await client.action(action("vectors:similar"), { vector: [2, 0, 0], groups: [] })) as { _score: number }[];
    expect(best?._score).toBeCloseTo(1, 6);
    await expect(client.action(action("vectors:similar"), { vector: [1], groups: [] })).rejects.toThrow("needs 3 numbers");
  });
});

describe("limits of a transaction", () => {
  test("16,000 writes are too many only when they are more", async () => {
    await client.mutation(mutation("samples:clear"), {});
    await expect(client.mutation(mutation("samples:many"), { count: 16_001 })).rejects.toThrow("Too many documents written in a single function execution (limit: 16000)");
    await client.mutation(mutation("samples:many"), { count: 200 });
    await expect(client.query(query("samples:manyReads"), { count: 4_097 })).rejects.toThrow("Too many reads in a single function execution (limit: 4096)");
    await client.mutation(mutation("samples:clear"), {});
  });

  test("documents have 1 MiB at most", async () => {
    await expect(client.mutation(mutation("values:keep"), { value: "x".repeat(1 << 20) })).rejects.toThrow("Value is too large (1 MiB > maximum size 1 MiB)");
  });

  test("system fields are the deployment's", async () => {
    await expect(client.mutation(mutation("behavior:systemFields"), { value: { _own: 1 } })).rejects.toThrow("starts with an underscore");
    await expect(client.mutation(mutation("behavior:systemFields"), { value: { _id: "x" } })).rejects.toThrow("`_id` field");
    await expect(client.mutation(mutation("behavior:systemFields"), { value: { unknown: 1 } })).rejects.toThrow(
      'Failed to insert or update a document in table "samples" because it does not match the schema: Object contains extra field `unknown`',
    );
  });
});
