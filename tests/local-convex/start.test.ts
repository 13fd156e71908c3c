/** Starting and stopping: what is refused, and in which words. */

import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { afterEach, describe, expect, test } from "vitest";

import { type StartOptions, exited, launch, newFolder, removeFolder, start } from "./deployment.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) removeFolder(folder);
});

function folder(): string {
  const made = newFolder();
  folders.push(made);
  return made;
}

function functionsFolder(files: Record<string, string>): string {
  const made = folder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(made, name, ".."), { recursive: true });
    writeFileSync(join(made, name), text);
  }
  return made;
}

/** Start what cannot start: gives its exit status and its words. */
async function refusal(options: StartOptions): Promise<{ status: number | null; words: string; output: string }> {
  const { child, state } = launch(options);
  folders.push(state);
  let [words, output] = ["", ""];
  child.stderr?.on("data", (chunk: Buffer) => (words += chunk.toString()));
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return { status: await exited(child), words, output };
}

const QUERY = 'import { queryGeneric as query } from "convex/server";\n';
const SCHEMA = 'import { defineSchema, defineTable } from "convex/server";\nimport { v } from "convex/values";\n';

describe("refused with a sentence", () => {
  test.each([
    ["no such folder", "/nowhere/convex", "The functions folder /nowhere/convex does not exist"],
    ["a syntax error", { "a.ts": "export const x = ;" }, 'Unexpected ";"'],
    ["a missing import", { "a.ts": 'import "./missing";' }, 'Could not resolve "./missing"'],
    ["a module that throws", { "dir/a.ts": 'throw new Error("at load");' }, "The module dir/a failed while it was loaded: at load."],
    ["Node's modules outside of Node files", { "a.ts": 'import { readFileSync } from "node:fs";\nexport const x = readFileSync;' }, "node:fs"],
    ["a query in a Node file", { "a.ts": `"use node";\n${QUERY}export const q = query(() => 1);` }, 'a:q is a query in a file that says "use node"'],
    ["a schema that is none", { "schema.ts": "export default 3;" }, "schema.ts must export what defineSchema() gives"],
    ["a bad cron", { "crons.ts": 'import { cronJobs } from "convex/server";\nconst crons = cronJobs();\ncrons.cron("bad", "x * * * *", "a:b");\nexport default crons;' }, 'crons.ts: the schedule of "bad" cannot be read'],
    ["a cron of nothing", { "crons.ts": 'import { cronJobs } from "convex/server";\nconst crons = cronJobs();\ncrons.interval("lost", { hours: 1 }, "a:b");\nexport default crons;' }, '"lost" runs a:b, which is not there'],
    ["a provider without an issuer", { "auth.config.ts": 'export default { providers: [{ type: "customJwt", algorithm: "ES256", jwks: "data:,{}" }] };' }, "auth.config.ts: provider 1 has no issuer"],
    ["components", { "convex.config.ts": "declare const app: any, other: any;\napp.use(other);\nexport default app;" }, "installs components with app.use(...)"],
  ] as [string, string | Record<string, string>, string][])("%s", async (_, functions, words) => {
    const given = typeof functions === "string" ? functions : functionsFolder(functions);
    const refused = await refusal({ functions: given });
    expect(refused.words).toContain(words);
    expect(refused).toMatchObject({ status: 1, output: "" });
    expect(refused.words).not.toMatch(/\n {4}at /);
  });

  test("hosts other than this machine, and unknown flags", async () => {
    expect(await refusal({ flags: ["--host", "0.0.0.0"] })).toMatchObject({ status: 1, words: expect.stringContaining("only for this machine") as string });
    expect(await refusal({ flags: ["--nonsense"] })).toMatchObject({ status: 1, words: expect.stringContaining("Usage:") as string });
    expect(await refusal({ port: 70_000 })).toMatchObject({ status: 1, words: expect.stringContaining("--port must be") as string });
  });

  test("connections from elsewhere: it listens at 127.0.0.1 and at no other address", async () => {
    const deployment = await start();
    folders.push(deployment.state);
    const { port } = new URL(deployment.url);
    await expect(fetch(`http://127.0.0.2:${port}/version`)).rejects.toThrow("fetch failed");
    await expect(fetch(`http://[::1]:${port}/version`)).rejects.toThrow("fetch failed");
    expect((await fetch(`http://127.0.0.1:${port}/version`)).status).toBe(200);
    await deployment.stop();
  });

  test("a second deployment on the same data, and on the same port; a killed one blocks nothing", async () => {
    const first = await start();
    folders.push(first.state);
    expect(await refusal({ state: first.state })).toMatchObject({ status: 1, words: expect.stringContaining("Another local Convex is running") as string });
    expect(await refusal({ port: Number(new URL(first.url).port) })).toMatchObject({ status: 1, words: expect.stringContaining("is used by another program") as string });
    await first.kill();
    const second = await start({ state: first.state });
    expect(second.adminKey).toBe(first.adminKey);
    expect(await second.stop()).toBe(0);
  });

  test("documents that a new schema does not allow, naming one", async () => {
    const module = 'import { mutationGeneric as mutation } from "convex/server";\nexport const add = mutation((ctx) => ctx.db.insert("things", { size: 1 }));';
    const table = (size: string): string => `${SCHEMA}export default defineSchema({ things: defineTable({ size: ${size} }) }`;
    const functions = functionsFolder({ "things.ts": module, "schema.ts": `${table("v.number()")});` });
    const first = await start({ functions });
    folders.push(first.state);
    const answer = (await (await fetch(`${first.url}/api/mutation`, { method: "POST", body: '{"path":"things:add","args":{}}' })).json()) as { value: string };
    await first.stop();
    writeFileSync(join(functions, "schema.ts"), `${table("v.string()")});`);
    const refused = await refusal({ functions, state: first.state });
    expect(refused.words).toContain(`Document with ID "${answer.value}" in table "things" does not match the schema: Value does not match validator.\nPath: .size`);
    expect(refused.status).toBe(1);
    writeFileSync(join(functions, "schema.ts"), `${table("v.string()")}, { schemaValidation: false });`);
    const unchecked = await start({ functions, state: first.state });
    expect((await fetch(`${unchecked.url}/api/mutation`, { method: "POST", body: '{"path":"things:add","args":{}}' })).status).toBe(200);
    await unchecked.stop();
  });
});

describe("runs", () => {
  test("folders of other people: JavaScript, subfolders, no schema, tests beside the modules", async () => {
    const functions = functionsFolder({
      "plain.js": `${QUERY}export const one = query(() => 1);\nexport default query(() => "default");\nexport const notAFunction = { isQuery: false };`,
      "deep/er/module.mts": `${QUERY}export const two = query({ args: {}, handler: () => 2 });`,
      "plain.test.ts": 'throw new Error("tests are no modules");',
      "types.d.ts": "export type X = 1;",
      "_generated/api.js": 'throw new Error("not a module");',
      ".hidden.ts": "syntax error",
      "README.md": "text",
    });
    const deployment = await start({ functions });
    folders.push(deployment.state);
    const ask = async (path: string): Promise<unknown> => {
      const response = await fetch(`${deployment.url}/api/query`, { method: "POST", body: JSON.stringify({ path, args: {} }) });
      return ((await response.json()) as { value?: unknown }).value;
    };
    expect([await ask("plain:one"), await ask("plain"), await ask("deep/er/module:two")]).toEqual([1, "default", 2]);
    await deployment.stop();
  });

  test("new indexes are filled from what is there, old ones go", async () => {
    const module =
      'import { mutationGeneric as mutation, queryGeneric as query } from "convex/server";\nexport const add = mutation((ctx, { n }) => ctx.db.insert("things", { n }));\nexport const high = query((ctx) => ctx.db.query("things").withIndex("by_n", (q) => q.gt("n", 1)).collect());';
    const functions = functionsFolder({ "things.ts": module, "schema.ts": `${SCHEMA}export default defineSchema({ things: defineTable({ n: v.number() }) });` });
    const call = async (url: string, kind: string, path: string, args: object): Promise<{ value: { n: number }[]; errorMessage?: string }> =>
      (await (await fetch(`${url}/api/${kind}`, { method: "POST", body: JSON.stringify({ path, args }) })).json()) as { value: { n: number }[] };
    const first = await start({ functions });
    folders.push(first.state);
    for (const n of [3, 1, 2]) await call(first.url, "mutation", "things:add", { n });
    expect((await call(first.url, "query", "things:high", {})).errorMessage).toContain("Index things.by_n not found.");
    await first.stop();
    writeFileSync(join(functions, "schema.ts"), `${SCHEMA}export default defineSchema({ things: defineTable({ n: v.number() }).index("by_n", ["n"]) });`);
    const second = await start({ functions, state: first.state });
    expect((await call(second.url, "query", "things:high", {})).value.map(({ n }) => n)).toEqual([2, 3]);
    await second.stop();
  });

  test("keys are for their owner only, and a closed standard input ends it", async () => {
    const deployment = await start();
    folders.push(deployment.state);
    for (const name of ["admin_key", "secret"]) expect(statSync(join(deployment.state, name)).mode & 0o777).toBe(0o600);
    deployment.process.stdin?.end();
    expect(await exited(deployment.process)).toBe(0);
  });

  test("OpenID Connect: keys are found by discovery, standard claims get their names", async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "RS256", use: "sig" }] };
    let domain = "";
    const provider = createServer((request, response) => {
      const documents: Record<string, object> = {
        "/.well-known/openid-configuration": { issuer: domain, jwks_uri: `${domain}/keys` },
        "/keys": keys,
      };
      response.end(JSON.stringify(documents[request.url ?? ""] ?? {}));
    });
    await new Promise<void>((resolve) => {
      provider.listen(0, "127.0.0.1", resolve);
    });
    domain = `http://127.0.0.1:${String((provider.address() as AddressInfo).port)}`;
    const deployment = await start({ env: { TEST_OIDC_DOMAIN: domain } });
    folders.push(deployment.state);
    const sign = (issuer: string): Promise<string> =>
      new SignJWT({ email: "asha@example.org", email_verified: true, picture: "https://example.org/p.png", team: { name: "ragas" } })
        .setProtectedHeader({ alg: "RS256", kid: "k" })
        .setIssuer(issuer)
        .setAudience("tests")
        .setSubject("user 1")
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(privateKey);
    const me = async (token: string): Promise<{ status: number; body: unknown }> => {
      const response = await fetch(`${deployment.url}/api/query`, { method: "POST", headers: { Authorization: `Bearer ${token}` }, body: '{"path":"callers:me","args":{}}' });
      return { status: response.status, body: await response.json() };
    };
    expect(await me(await sign(domain))).toEqual({
      status: 200,
      body: {
        status: "success",
        value: {
          tokenIdentifier: `${domain}|user 1`,
          issuer: domain,
          subject: "user 1",
          email: "asha@example.org",
          emailVerified: true,
          pictureUrl: "https://example.org/p.png",
          "team.name": "ragas",
        },
      },
    });
    expect((await me(await sign("https://other.test"))).status).toBe(401);
    await deployment.stop();
    provider.close();
  });

  test("--log shows what functions print", async () => {
    const deployment = await start({ flags: ["--log"] });
    folders.push(deployment.state);
    await fetch(`${deployment.url}/api/query`, { method: "POST", body: '{"path":"behavior:log","args":{}}' });
    await fetch(`${deployment.url}/api/action`, { method: "POST", body: '{"path":"behavior:logFromAction","args":{}}' });
    expect(deployment.errors()).toContain("[log] printed by a query");
    expect(deployment.errors()).toContain("[log] printed by an action { with: 'fields' }");
    await deployment.stop();
  });
});
