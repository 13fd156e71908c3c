/** The project's own functions behind the real program: forged tokens, internal functions and wrong arguments, over HTTP. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { type CryptoKey, type JWK, SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { type Arguments, type Modules, REQUEST, type Standing, argumentsFor, callersIn, functionsOf, linkTo, listFor, NOTHING_LINKED, NOTHING_LISTED, publicOf } from "../convex/public_functions.ts";
import { type Running, removeFolder, start } from "./deployment.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ISSUER = "https://raga-bot.test";
const AUDIENCE = "raga-bot";
const KID = "ours";
const WORKER = "worker:w1";
const CODES = ["not_authenticated", "not_found", "forbidden", "invalid", "too_many", "conflict", "last_account", "deleting"];

const table = callersIn(readFileSync(`${root}docs/security.md`, "utf8"));
const functionModules: Modules = import.meta.glob(["../../convex/*.ts", "!**/*.config.ts"], { eager: true });
const functions = functionsOf(functionModules);
const publicPaths = [...publicOf(functions).keys()].sort();
const isQuery = (path: string): boolean => functions.get(path)?.isQuery === true;
/** Queries first: none of them changes what all of them are asked about. */
const queriesFirst = [...publicPaths.filter(isQuery), ...publicPaths.filter((path) => !isQuery(path))];
const internalPaths = [...functions].filter(([, { isInternal }]) => isInternal === true).map(([path]) => path);

type Claims = Record<string, unknown>;
type Keys = { publicKey: CryptoKey; privateKey: CryptoKey };

const nowS = (): number => Math.floor(Date.now() / 1000);

const PEOPLE: Record<"user" | "group admin" | "bot" | "worker", Claims> = {
  user: { sub: "discord:1", role: "user", bot: "b1", name: "Asha" },
  "group admin": { sub: "discord:1", role: "user", bot: "b1", name: "Asha", admin: "discord:g1" },
  bot: { sub: "bot:b1", role: "bot", bot: "b1" },
  worker: { sub: WORKER, role: "worker" },
};
type Role = keyof typeof PEOPLE;

/** The claims of a good token but for `more`; a claim that is undefined is left out. */
function claimsOf(role: Role, more: Claims = {}): Claims {
  return { iss: ISSUER, aud: AUDIENCE, iat: nowS() - 60, exp: nowS() + 600, ...PEOPLE[role], ...more };
}

let ours: Keys;
let theirs: Keys;
let publicJwk: JWK;
let publicPem: string;
let deployment: Running;

function sign(claims: Claims, key: CryptoKey | Uint8Array = ours.privateKey, header: object = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: KID, ...header }).sign(key);
}

const token = (role: Role): Promise<string> => sign(claimsOf(role));

type Answer = { status: number; body: { status?: string; value?: unknown; code?: string; message?: string; errorMessage?: string; errorData?: { code?: string; message?: string } } };

/** Nothing that is said to a caller may say how the program looks inside. */
function expectNoTrace(text: string): void {
  expect(text).not.toMatch(/\n\s*at |\bat (?:async )?[\w.<>]+ ?\(|node:internal|\.ts:\d|node_modules|local-convex\//);
  expect(text).not.toContain(root);
}

async function post(endpoint: string, body: object, bearer?: string): Promise<Answer> {
  const headers: Record<string, string> = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  const response = await fetch(`${deployment.url}${endpoint}`, { method: "POST", body: JSON.stringify(body), headers });
  const text = await response.text();
  expectNoTrace(text);
  return { status: response.status, body: JSON.parse(text) as Answer["body"] };
}

function call(path: string, args: unknown, bearer?: string): Promise<Answer> {
  const kind = isQuery(path) ? "query" : "mutation";
  return post(`/api/${kind}`, { path, args, format: "convex_encoded_json" }, bearer);
}

/** A call's value, for what must work. */
async function value<Value>(path: string, args: Arguments, role: Role): Promise<Value> {
  const { status, body } = await call(path, args, await token(role));
  expect(body).toMatchObject({ status: "success" });
  expect(status).toBe(200);
  return body.value as Value;
}

async function upload(): Promise<string> {
  const response = await fetch(await value<string>("files:generateUploadUrl", {}, "worker"), { method: "POST", body: "audio" });
  return ((await response.json()) as { storageId: string }).storageId;
}

let pieces = 0;

/** A finished piece, one in the worker's hands with its delivery, and an upload, all new, by nothing but calls from outside. */
async function prepared(): Promise<Standing> {
  // A deletion that an earlier test has begun goes on by itself: until it is done this person may do nothing else.
  while ((await value<{ deleting: boolean } | null>("accounts:me", {}, "user"))?.deleting === true);
  await value("jobs:release", { worker: WORKER }, "worker");
  // Room for more: a person has five unfinished pieces at most.
  while ((await value("musicGeneration:cancel", {}, "user")) !== null);
  const begin = async (): Promise<string> => {
    pieces += 1;
    const message = `m${String(pieces)}`;
    const args = { request: REQUEST, delivery: { platform: "discord", chat: "c1", message } };
    const piece = await value<string>("musicGeneration:startGeneration", args, "user");
    await value("jobs:claim", { worker: WORKER, leaseS: 90 }, "worker");
    return piece;
  };
  const standing = { piece: await begin(), delivery: "", upload: await upload(), audio: "", correction: "", worker: WORKER, linked: NOTHING_LINKED, listed: NOTHING_LISTED };
  const finished = standing.piece;
  await value("jobs:complete", argumentsFor(standing)["jobs:complete"] ?? {}, "worker");
  standing.audio = standing.upload;
  standing.piece = await begin();
  standing.upload = await upload();
  const watched = await value<{ deliveries: { deliveryId: string; generationId: string }[] }>("deliveries:watch", {}, "bot");
  standing.delivery = watched.deliveries.find(({ generationId }) => generationId === standing.piece)?.deliveryId ?? "";
  await value("catalogue:upsert", argumentsFor(standing)["catalogue:upsert"] ?? {}, "bot");
  standing.correction = await openCorrection();
  const as = async (subject: string | null, path: string, args: object): Promise<unknown> => {
    const bearer = subject === null ? await token("bot") : await sign(claimsOf("user", { sub: subject, name: "Mira" }));
    const { body } = await call(path, args, bearer);
    expect(body).toMatchObject({ status: "success" });
    return body.value;
  };
  standing.linked = await linkTo("discord:1", [`telegram:a${String(pieces)}`, `telegram:b${String(pieces)}`], as);
  standing.listed = await listFor("discord:1", finished, `telegram:c${String(pieces)}`, as);
  return standing;
}

/** For a mutation all of it new; for queries, which must not be asked after a mutation, once. */
function once(): (path: string) => Promise<Standing> {
  let shared: Promise<Standing> | undefined;
  return (path) => (isQuery(path) ? (shared ??= prepared()) : prepared());
}

/** An open correction, the only one: a person has ten at most. */
async function openCorrection(): Promise<string> {
  const open = NOWHERE["corrections:list"] ?? {};
  for (const { id } of (await value<{ page: { id: string }[] }>("corrections:list", open, "bot")).page) {
    await value("corrections:decide", { id, accept: false }, "bot");
  }
  const args = NOWHERE["corrections:file"];
  return value<string>("corrections:file", { ...args, idempotencyKey: `report ${String(pieces)}` }, "user");
}

/** Arguments about what is not there, for calls that must not get as far as to look. */
const NOWHERE = argumentsFor({ piece: "x", delivery: "x", upload: "x", audio: "x", correction: "x", worker: WORKER, linked: NOTHING_LINKED, listed: NOTHING_LISTED });

/** Whose token opens a function. */
function roleFor(path: string): Role {
  const who = table.get(path);
  if (who === "curator or bot") return "bot";
  if (who === "bot" || who === "worker" || who === "group admin") return who;
  return "user";
}

beforeAll(async () => {
  ours = await generateKeyPair("ES256", { extractable: true });
  theirs = await generateKeyPair("ES256");
  publicJwk = { ...(await exportJWK(ours.publicKey)), kid: KID, alg: "ES256", use: "sig" };
  publicPem = await exportSPKI(ours.publicKey);
  const jwks = `data:application/json;base64,${Buffer.from(JSON.stringify({ keys: [publicJwk] })).toString("base64")}`;
  deployment = await start({ functions: `${root}convex`, env: { RAGA_JWT_ISSUER: ISSUER, RAGA_JWT_JWKS: jwks, RAGA_PIECES_AN_HOUR: "10000", RAGA_SECONDS_A_DAY: "1000000" } });
});

afterEach(async () => {
  expect((await call("ragas:getByName", { name: "Yaman" })).body).toEqual({ status: "success", value: null });
  expect(deployment.process.exitCode).toBeNull();
});

afterAll(async () => {
  await deployment.stop();
  removeFolder(deployment.state);
});

test("the table, the modules and the arguments here speak of the same functions", () => {
  expect([...table.keys()]).toEqual(publicPaths);
  expect(Object.keys(NOWHERE).sort()).toEqual(publicPaths);
});

/** A token of an algorithm with a shared secret, for which the attacker takes what everybody may know. */
function shared(claims: Claims, secret: string): Promise<string> {
  return sign(claims, new TextEncoder().encode(secret), { alg: "HS256" });
}

const BAD_TOKENS: Record<string, (role: Role) => string | Promise<string>> = {
  "another key under the same name": (role) => sign(claimsOf(role), theirs.privateKey),
  "another key that the token brings along": async (role) => sign(claimsOf(role), theirs.privateKey, { jwk: await exportJWK(theirs.publicKey) }),
  "a key of an unknown name": (role) => sign(claimsOf(role), ours.privateKey, { kid: "another" }),
  "no name of a key": (role) => sign(claimsOf(role), ours.privateKey, { kid: undefined }),
  "no algorithm": (role) => new UnsecuredJWT(claimsOf(role)).encode(),
  "no algorithm, but the key's name": (role) => `${segment({ alg: "none", kid: KID })}.${segment(claimsOf(role))}.`,
  "HS256 with the public key's PEM as its secret": (role) => shared(claimsOf(role), publicPem),
  "HS256 with the public key's JSON as its secret": (role) => shared(claimsOf(role), JSON.stringify(publicJwk)),
  expired: (role) => sign(claimsOf(role, { exp: nowS() - 30 })),
  "without an end": (role) => sign(claimsOf(role, { exp: undefined })),
  "with an end that is no number": (role) => sign(claimsOf(role, { exp: "tomorrow" })),
  "issued in the future": (role) => sign(claimsOf(role, { iat: nowS() + 300 })),
  "good only later": (role) => sign(claimsOf(role, { nbf: nowS() + 300 })),
  "for another audience": (role) => sign(claimsOf(role, { aud: "another" })),
  "for no audience": (role) => sign(claimsOf(role, { aud: undefined })),
  "of another issuer": (role) => sign(claimsOf(role, { iss: "https://evil.test" })),
  "of no issuer": (role) => sign(claimsOf(role, { iss: undefined })),
  "without a subject": (role) => sign(claimsOf(role, { sub: undefined })),
  "changed after it was signed": async (role) => tampered(await sign(claimsOf("user")), claimsOf(role, { sub: "bot:b2", role: "bot" })),
  "without its signature": async (role) => (await sign(claimsOf(role))).replace(/\.[^.]*$/, "."),
  garbage: () => "garbage",
  "three parts of garbage": () => "a.b.c",
  "very long": () => "x".repeat(8_000),
};

function segment(content: object): string {
  return Buffer.from(JSON.stringify(content)).toString("base64url");
}

function tampered(good: string, claims: Claims): string {
  const [header, , signature] = good.split(".");
  return `${header ?? ""}.${segment(claims)}.${signature ?? ""}`;
}

describe("tokens that do not hold are refused by every public function", () => {
  test.each(Object.entries(BAD_TOKENS))("%s", async (_, forge) => {
    const refuse = async (path: string): Promise<void> => {
      const { status, body } = await call(path, NOWHERE[path], await forge(roleFor(path)));
      expect({ path, status, body }).toEqual({ path, status: 401, body: { code: expect.any(String) as string, message: expect.any(String) as string } });
    };
    await Promise.all(publicPaths.map(refuse));
  });

  const standingFor = once();

  test.each(queriesFirst)("good ones open %s to whom the table names, and to nobody else", async (path) => {
    const standing = await standingFor(path);
    const args = argumentsFor(standing)[path] ?? {};
    if (path === "favorites:setByMessage") args["message"] = `m${String(pieces)}`;
    const who = table.get(path);
    for (const role of ["user", "bot", "worker"] as const) {
      const opens = who === "anyone" || who?.split(" ").includes(role) === true;
      if (role === roleFor(path) || opens) continue;
      expect((await call(path, args, await token(role))).body).toMatchObject({ status: "error", errorData: { code: "forbidden" } });
    }
    const nobody = await call(path, args);
    if (who === "anyone") expect(nobody.body.status).toBe("success");
    else expect(nobody.body).toMatchObject({ status: "error", errorData: { code: "not_authenticated" } });
    await value(path, args, roleFor(path));
  });
});

describe("internal functions are refused from outside", () => {
  test("there are some", () => {
    expect(internalPaths).toEqual(expect.arrayContaining(["cleanup:purgeReplays", "jobs:requeueExpired", "musicGeneration:processGeneration"]));
  });

  test.each(internalPaths)("%s", async (path) => {
    const [module, name] = path.split(":");
    const refuse = async (endpoint: string, args: object, bearer?: string): Promise<void> => {
      const { status, body } = await post(endpoint, { path, args }, bearer);
      expect(status).toBe(200);
      expect(body).toMatchObject({ status: "error", errorMessage: expect.stringContaining(`Could not find public function for '${path}'`) as string });
    };
    const bearers = [undefined, await token("user"), await token("bot"), await token("worker")];
    const endpoints = ["/api/query", "/api/mutation", "/api/action", "/api/function", `/api/run/${module ?? ""}/${name ?? ""}`];
    await Promise.all(bearers.flatMap((bearer) => endpoints.flatMap((endpoint) => [refuse(endpoint, {}, bearer), refuse(endpoint, { generationId: "x" }, bearer)])));
  });

  test("the administrator's key is what opens them, and a wrong one does not", async () => {
    const run = (key: string): Promise<Response> =>
      fetch(`${deployment.url}/api/mutation`, { method: "POST", body: '{"path":"jobs:requeueExpired","args":{}}', headers: { Authorization: `Convex ${key}` } });
    expect(await (await run(deployment.adminKey)).json()).toEqual({ status: "success", value: null });
    expect((await run(`${deployment.adminKey}x`)).status).toBe(401);
  });
});

type Validator =
  | { type: "null" | "number" | "boolean" | "string" | "any" }
  | { type: "id"; tableName: string }
  | { type: "literal"; value: unknown }
  | { type: "array"; value: Validator }
  | { type: "record"; keys: Validator; values: { fieldType: Validator } }
  | { type: "union"; value: Validator[] }
  | { type: "object"; value: Record<string, { fieldType: Validator; optional: boolean }> };

const NAN = { $float: "AAAAAAAA+H8=" };

/** Whether a value is of the declared kind. Of an id only that it is text is told here: which texts are ids, Convex knows. */
function fits(validator: Validator, given: unknown): boolean {
  switch (validator.type) {
    case "any":
      return true;
    case "null":
      return given === null;
    case "number":
      return typeof given === "number" || given === NAN;
    case "boolean":
      return typeof given === "boolean";
    case "string":
    case "id":
      return typeof given === "string";
    case "literal":
      return given === validator.value;
    case "array":
      return Array.isArray(given) && given.every((item) => fits(validator.value, item));
    case "union":
      return validator.value.some((option) => fits(option, given));
    case "record":
      return typeof given === "object" && given !== null && !Array.isArray(given) && given !== NAN && Object.values(given).every((item) => item === undefined || fits(validator.values.fieldType, item));
    case "object": {
      if (typeof given !== "object" || given === null || Array.isArray(given) || given === NAN) return false;
      const fields = given as Record<string, unknown>;
      const known = Object.entries(validator.value).every(([name, { fieldType, optional }]) => (fields[name] === undefined ? optional : fits(fieldType, fields[name])));
      return known && Object.keys(fields).every((name) => Object.hasOwn(validator.value, name));
    }
  }
}

const WRONG: Record<string, unknown> = {
  null: null,
  "a string": "x",
  "an empty string": "",
  NaN: NAN,
  "10,000 characters": "x".repeat(10_000),
  "an array": ["x"],
  "an object": { x: 1 },
  "an enormous number": 1e308,
  "a boolean": true,
  missing: undefined,
};

const WRONG_KIND = /ArgumentValidationError: \S|The arguments to a Convex function must be an object\./;

type Case = { what: string; args: unknown };

/** The arguments with each of their parts replaced, one at a time, at every depth; and with a field too many at every depth. */
function spoilt(given: unknown, where = ""): Case[] {
  const cases = Object.entries(WRONG).map(([what, args]) => ({ what: `${where || "all"}: ${what}`, args }));
  if (Array.isArray(given)) {
    const items = given as unknown[];
    return [...cases, ...spoilt(items[0], `${where}[0]`).map(({ what, args }) => ({ what, args: [args ?? null, ...items.slice(1)] }))];
  }
  if (typeof given !== "object" || given === null) return cases;
  cases.push({ what: `${where}: an unknown field`, args: { ...given, unknown: 1 } });
  for (const [name, part] of Object.entries(given)) {
    for (const { what, args } of spoilt(part, `${where}.${name}`)) cases.push({ what, args: { ...given, [name]: args } });
  }
  return cases;
}

describe("wrong arguments get a clear answer", () => {
  const standingFor = once();

  test.each(queriesFirst)("%s", async (path) => {
    const standing = await standingFor(path);
    const bearer = await token(roleFor(path));
    const validator = JSON.parse(functions.get(path)?.exportArgs?.() ?? "") as Validator;
    const good = { ...argumentsFor(standing)[path] };
    expect(fits(validator, good)).toBe(true);
    const cases = spoilt(good);
    const answers = await Promise.all(cases.map(async (one) => ({ ...one, ...(await call(path, one.args, bearer)) })));
    let refused = 0;
    for (const { what, args, status, body } of answers) {
      const seen = `${what}: ${String(status)} ${JSON.stringify(body).slice(0, 300)}`;
      if (args === undefined) {
        expect({ seen, status, code: body.code }).toEqual({ seen, status: 400, code: "BadJsonBody" });
        continue;
      }
      expect({ seen, status }).toEqual({ seen, status: 200 });
      const said = body.errorMessage ?? "";
      // No arguments at all (null) may count as none given.
      if (!fits(validator, args ?? {})) {
        refused += 1;
        expect(said, seen).toMatch(WRONG_KIND);
      } else if (body.status !== "success" && !WRONG_KIND.test(said)) {
        // Of the right kind and still not good: a code and a sentence for the person.
        expect(CODES, seen).toContain(body.errorData?.code);
        expect(body.errorData?.message, seen).toMatch(/^[A-Z].{5,}/);
      }
      // An error repeats what was sent once or twice, and no more.
      expect(said.length, seen).toBeLessThan(25_000);
    }
    expect(refused).toBeGreaterThan(5);
  });
});
