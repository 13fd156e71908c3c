/** Who may call what: docs/security.md says it, and every public function keeps it, for every kind of caller. */

import { convexTest, type TestConvex } from "convex-test";
import { makeFunctionReference, type GenericSchema, type SchemaDefinition, type UserIdentity } from "convex/server";
import { ConvexError } from "convex/values";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { argumentsFor, callersIn, functionsOf, linkTo, listFor, NOTHING_LINKED, NOTHING_LISTED, publicOf, REQUEST, type Exported, type Modules, type Standing, type Who } from "./public_functions.ts";

const ISSUER = "https://raga-bot.test";
const OIDC = "https://accounts.test";
const BOT = "b1";
const WORKER = "worker:w1";

const page = Object.values(import.meta.glob<string>("../../docs/security.md", { query: "?raw", import: "default", eager: true })).join("");
const texts = import.meta.glob<string>(["../../convex/**/*.ts", "!**/_generated/**"], { query: "?raw", import: "default", eager: true });
const functionModules: Modules = import.meta.glob(["../../convex/**/*.ts", "!**/_generated/**", "!**/*.config.ts"], { eager: true });
const modules = import.meta.glob(["../../convex/**/*.ts", "../../convex/_generated/*.js"]);
const schema = functionModules["../../convex/schema.ts"]?.["default"] as SchemaDefinition<GenericSchema, true>;

const table = callersIn(page);
const publicFunctions = publicOf(functionsOf(functionModules));
const everyPath = [...publicFunctions.keys()].sort();

type Identity = Partial<UserIdentity>;

function chatAccount(subject: string, more: Identity = {}): Identity {
  return { issuer: ISSUER, subject, role: "user", bot: BOT, name: "Asha", ...more };
}

const OWNER = chatAccount("discord:1");

/** Every kind of caller, and what of the table's words lets them in; "anyone" lets in all of them. */
const CALLERS: Record<string, { identity: Identity | null; passes: Who[] }> = {
  "no token": { identity: null, passes: [] },
  "a user": { identity: OWNER, passes: ["user", "user through a bot", "user or bot"] },
  "another user": { identity: chatAccount("telegram:2"), passes: ["user", "user through a bot", "user or bot"] },
  "a curator": { identity: chatAccount("discord:1", { curator: true }), passes: ["user", "user through a bot", "user or bot", "curator or bot"] },
  "a user who claims to be a curator in words": { identity: chatAccount("discord:1", { curator: "true" }), passes: ["user", "user through a bot", "user or bot"] },
  "an OIDC user who claims to be a curator": { identity: { issuer: OIDC, subject: "u1", curator: true }, passes: ["user", "user or bot"] },
  "somebody who looks after a group": { identity: chatAccount("discord:1", { admin: "discord:g1" }), passes: ["user", "user through a bot", "user or bot", "group admin"] },
  "somebody who looks after another group": { identity: chatAccount("discord:1", { admin: "discord:g2" }), passes: ["user", "user through a bot", "user or bot"] },
  "somebody who looks after a group of that id elsewhere": { identity: chatAccount("discord:1", { admin: "telegram:g1" }), passes: ["user", "user through a bot", "user or bot"] },
  "an OIDC user who claims to look after a group": { identity: { issuer: OIDC, subject: "u1", admin: "discord:g1" }, passes: ["user", "user or bot"] },
  "a user through no bot": { identity: chatAccount("web:3", { bot: "" }), passes: ["user", "user or bot"] },
  "a bot": { identity: { issuer: ISSUER, subject: `bot:${BOT}`, role: "bot", bot: BOT }, passes: ["bot", "user or bot", "curator or bot"] },
  "a worker": { identity: { issuer: ISSUER, subject: WORKER, role: "worker" }, passes: ["worker"] },
  "an OIDC user": { identity: { issuer: OIDC, subject: "u1", emailVerified: true, email: "asha@example.org" }, passes: ["user", "user or bot"] },
  "an OIDC user who claims to be a bot": { identity: { issuer: OIDC, subject: `bot:${BOT}`, role: "bot", bot: BOT }, passes: ["user", "user or bot"] },
  "an OIDC user who claims to be a worker": { identity: { issuer: OIDC, subject: WORKER, role: "worker" }, passes: ["user", "user or bot"] },
  "an issuer whose name only begins like the bot's": { identity: { issuer: `${ISSUER}.evil`, subject: WORKER, role: "worker" }, passes: ["user", "user or bot"] },
  "a token of the bot's issuer without a role": { identity: { issuer: ISSUER, subject: "discord:1", bot: BOT }, passes: [] },
  "a token of the bot's issuer with an unknown role": { identity: { issuer: ISSUER, subject: "discord:1", role: "admin", bot: BOT }, passes: [] },
  "a user's token whose subject is no chat account": { identity: chatAccount("somebody"), passes: [] },
  "a user's token whose subject holds a bar": { identity: chatAccount(`discord:1|${OIDC}`), passes: [] },
  "a bot's token that names no bot": { identity: { issuer: ISSUER, subject: "bot:", role: "bot" }, passes: [] },
  "a worker's token whose subject is no worker": { identity: { issuer: ISSUER, subject: "discord:1", role: "worker" }, passes: [] },
};

type Backend = TestConvex<SchemaDefinition<GenericSchema, true>>;

/** A finished piece of the owner, another posted by the bot and taken up by the worker, and an upload. */
async function prepared(): Promise<{ backend: Backend; standing: Standing }> {
  const backend = convexTest({ schema, modules });
  const worker = CALLERS["a worker"]?.identity ?? null;
  const store = (): Promise<string> => backend.run((ctx) => ctx.storage.store(new Blob(["audio"])));
  const start = async (more: object): Promise<string> =>
    (await call(backend, "musicGeneration:startGeneration", OWNER, { request: REQUEST, ...more })) as string;
  const standing = { piece: await start({}), delivery: "", upload: "", audio: await store(), correction: "", worker: WORKER, linked: NOTHING_LINKED, listed: NOTHING_LISTED };
  const finished = standing.piece;
  await call(backend, "jobs:claim", worker, { worker: WORKER, leaseS: 90 });
  await call(backend, "jobs:complete", worker, { ...argumentsFor(standing)["jobs:complete"], audioFileId: standing.audio });
  standing.piece = await start({ delivery: { platform: "discord", chat: "c1", message: "m1" } });
  await call(backend, "jobs:claim", worker, { worker: WORKER, leaseS: 90 });
  const watched = (await call(backend, "deliveries:watch", CALLERS["a bot"]?.identity ?? null, {})) as { deliveries: { deliveryId: string }[] };
  standing.delivery = watched.deliveries[0]?.deliveryId ?? "";
  standing.upload = await store();
  const args = argumentsFor(standing);
  await call(backend, "catalogue:upsert", CALLERS["a bot"]?.identity ?? null, args["catalogue:upsert"] ?? {});
  standing.correction = (await call(backend, "corrections:file", OWNER, { ...args["corrections:file"], idempotencyKey: "first" })) as string;
  const as = (subject: string | null, path: string, args: object): Promise<unknown> =>
    call(backend, path, subject === null ? (CALLERS["a bot"]?.identity ?? null) : chatAccount(subject), { ...args });
  standing.linked = await linkTo("discord:1", ["telegram:8", "telegram:9"], as);
  standing.listed = await listFor("discord:1", finished, "telegram:7", as);
  return { backend, standing };
}

type World = Awaited<ReturnType<typeof prepared>>;
let untouched: Promise<World> | undefined;

/** A world of its own for a call that changes it; one for all those that do not: queries, and what is to be refused. */
function worldFor(path: string, refused: boolean): Promise<World> {
  if (!refused && publicFunctions.get(path)?.isQuery !== true) return prepared();
  return (untouched ??= prepared());
}

function call(backend: Backend, path: string, identity: Identity | null, args: Record<string, unknown>): Promise<unknown> {
  const caller = identity === null ? backend : backend.withIdentity(identity);
  const { isQuery, isMutation } = publicFunctions.get(path) as Exported;
  if (isQuery === true) return caller.query(makeFunctionReference<"query">(path), args);
  if (isMutation === true) return caller.mutation(makeFunctionReference<"mutation">(path), args);
  return caller.action(makeFunctionReference<"action">(path), args);
}

/** "allowed", or the code of a refusal. Other errors are no refusals but mistakes of the test, and pass through. */
async function outcome(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return "allowed";
  } catch (error) {
    if (!(error instanceof ConvexError)) throw error;
    return (error as ConvexError<{ code: string }>).data.code;
  }
}

beforeEach(() => {
  vi.stubEnv("RAGA_JWT_ISSUER", ISSUER);
  return () => vi.unstubAllEnvs();
});

describe("the page", () => {
  test("has a row for every public function, and no other", () => {
    expect(everyPath.length).toBeGreaterThan(0);
    expect([...table.keys()]).toEqual(everyPath);
  });

  test("says what every table of the schema holds about people", () => {
    const [, section] = /\n## What is kept about people[^\n]*\n(.*?)\n## /s.exec(page) ?? [];
    const rows = [...(section ?? "").matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(Object.keys(schema.tables).sort());
  });
});

test("there are arguments for every public function, and for no other", () => {
  const names = Object.keys(argumentsFor({ piece: "", delivery: "", upload: "", audio: "", correction: "", worker: "", linked: NOTHING_LINKED, listed: NOTHING_LISTED }));
  expect(names.sort()).toEqual(everyPath);
});

describe.each(everyPath)("%s", (path) => {
  const who = table.get(path);

  test.each(Object.entries(CALLERS))("%s", async (name, { identity, passes }) => {
    if (who === undefined) throw new Error(`docs/security.md has no row for ${path}.`);
    const opens = who === "anyone" || passes.includes(who);
    const { backend, standing } = await worldFor(path, !opens);
    const found = await outcome(call(backend, path, identity, argumentsFor(standing)[path] ?? {}));
    if (opens) {
      // Who is let in and has nothing to do with the piece hears that it is not there; the owner never does.
      const strangers = ["another user", "a user through no bot"].includes(name) || identity?.issuer !== ISSUER;
      expect(strangers ? ["allowed", "not_found"] : ["allowed"]).toContain(found);
    } else {
      expect(found).toBe(identity === null ? "not_authenticated" : "forbidden");
    }
  });

  test("without an issuer set, no token is the bot's", async () => {
    const asUser = who === "anyone" || who === "user" || who === "user or bot";
    const { backend, standing } = await worldFor(path, !asUser);
    const args = argumentsFor(standing)[path] ?? {};
    vi.stubEnv("RAGA_JWT_ISSUER", "");
    for (const role of ["bot", "worker"]) {
      const found = await outcome(call(backend, path, { issuer: "", subject: WORKER, role, bot: BOT }, args));
      expect(asUser ? ["allowed", "not_found"] : ["forbidden"]).toContain(found);
    }
  });
});

describe("beyond the role", () => {
  const stranger = chatAccount("discord:9");

  /** The same, with a stranger who is known to the bot: somebody without a row is turned away for that alone. */
  async function preparedForTwo(): Promise<{ backend: Backend; standing: Standing }> {
    const { backend, standing } = await prepared();
    await call(backend, "musicGeneration:startGeneration", stranger, { request: REQUEST });
    return { backend, standing };
  }

  test.each(["get", "chain", "rename", "toggleFavorite", "cancel", "remove"])("musicGeneration:%s gives somebody else's piece to nobody", async (name) => {
    const { backend, standing } = await preparedForTwo();
    const args = { generationId: standing.piece, ...(name === "rename" ? { title: "Mine" } : {}) };
    expect(await outcome(call(backend, `musicGeneration:${name}`, stranger, args))).toBe("not_found");
    expect(await outcome(call(backend, `musicGeneration:${name}`, OWNER, args))).toBe("allowed");
  });

  test("a place where the bot posted the piece opens it to those who speak there through that bot", async () => {
    const { backend, standing } = await preparedForTwo();
    const look = (identity: Identity, chat: string): Promise<string> =>
      outcome(call(backend, "musicGeneration:get", identity, { generationId: standing.piece, place: { platform: "discord", chat } }));
    expect(await look(stranger, "c1")).toBe("allowed");
    expect(await look(stranger, "c2")).toBe("not_found");
    expect(await look({ ...stranger, bot: "b2" }, "c1")).toBe("not_found");
    expect(await look({ issuer: OIDC, subject: "u1", bot: BOT }, "c1")).toBe("not_found");
  });

  test("a piece posted through a bot needs a user of that bot", async () => {
    const { backend } = await prepared();
    const args = { request: REQUEST, delivery: { platform: "discord", chat: "c1", message: "m2" } };
    expect(await outcome(call(backend, "musicGeneration:startGeneration", { issuer: OIDC, subject: "u1", bot: BOT }, args))).toBe("forbidden");
    expect(await outcome(call(backend, "musicGeneration:startGeneration", stranger, args))).toBe("allowed");
  });

  test("another bot's deliveries are not there", async () => {
    const { backend, standing } = await prepared();
    const other = { issuer: ISSUER, subject: "bot:b2", role: "bot", bot: "b2" };
    expect(await call(backend, "deliveries:watch", other, {})).toMatchObject({ deliveries: [] });
    for (const path of ["deliveries:done", "deliveries:move"]) {
      expect(await outcome(call(backend, path, other, argumentsFor(standing)[path] ?? {}))).toBe("not_found");
    }
  });

  test.each(["claim", "complete", "fail", "progress", "release"])("jobs:%s is refused in another worker's name", async (name) => {
    const { backend, standing } = await prepared();
    const other = { issuer: ISSUER, subject: "worker:w2", role: "worker" };
    expect(await outcome(call(backend, `jobs:${name}`, other, argumentsFor(standing)[`jobs:${name}`] ?? {}))).toBe("forbidden");
  });

  test("a file is given to the owner of its piece and to the bot, to no other user", async () => {
    const { backend, standing } = await preparedForTwo();
    const ask = (identity: Identity | null, storageId = standing.audio): Promise<string> => outcome(call(backend, "files:getFileUrl", identity, { storageId }));
    expect(await ask(OWNER)).toBe("allowed");
    expect(await ask(CALLERS["a bot"]?.identity ?? null)).toBe("allowed");
    expect(await ask(stranger)).toBe("not_found");
    expect(await ask(OWNER, standing.upload)).toBe("not_found");
  });

  test.each(["add", "drop", "expel", "invite", "members", "remove", "rename", "setRole", "show", "uninvite"])("playlists:%s gives somebody else's playlist to nobody", async (name) => {
    const { backend, standing } = await preparedForTwo();
    const args = argumentsFor(standing)[`playlists:${name}`] ?? {};
    expect(await outcome(call(backend, `playlists:${name}`, stranger, args))).toBe("not_found");
  });

  test.each(["create", "revoke"])("shares:%s is for one's own pieces", async (name) => {
    const { backend, standing } = await preparedForTwo();
    const args = argumentsFor(standing)[`shares:${name}`] ?? {};
    expect(await outcome(call(backend, `shares:${name}`, stranger, args))).toBe("not_found");
    expect(await outcome(call(backend, `shares:${name}`, OWNER, args))).toBe("allowed");
  });

  test("lists hold nothing of others", async () => {
    const { backend, standing } = await preparedForTwo();
    expect(await call(backend, "musicGeneration:getUserHistory", OWNER, {})).toHaveLength(2);
    expect(await call(backend, "musicGeneration:getUserHistory", stranger, {})).toHaveLength(1);
    await call(backend, "favorites:set", OWNER, { generationId: standing.piece, on: true, idempotencyKey: "heart" });
    const count = async (path: string, identity: Identity): Promise<number> =>
      ((await call(backend, path, identity, { paginationOpts: { numItems: 5, cursor: null } })) as { page: unknown[] }).page.length;
    expect([await count("musicGeneration:history", OWNER), await count("musicGeneration:history", stranger)]).toEqual([2, 1]);
    expect([await count("favorites:list", OWNER), await count("favorites:list", stranger)]).toEqual([1, 0]);
  });
});

describe("every public function comes from a wrapper", () => {
  const WRAPPERS: Record<string, Who[]> = {
    anyoneQuery: ["anyone"],
    userQuery: ["user", "user through a bot"],
    userMutation: ["user", "user through a bot"],
    botQuery: ["bot"],
    botMutation: ["bot"],
    workerMutation: ["worker"],
    userOrBotQuery: ["user or bot"],
    curatorOrBotQuery: ["curator or bot"],
    curatorOrBotMutation: ["curator or bot"],
    groupAdminQuery: ["group admin"],
    groupAdminMutation: ["group admin"],
  };
  const sources = Object.entries(texts).filter(([path]) => !path.endsWith("/callers.ts"));

  /** What a file imports from a module: the text between `import` and `from`. */
  function importsFrom(text: string, module: RegExp): string[] {
    return [...text.matchAll(/\b(?:import|export)\s+([^;"']*?)\s+from\s+["']([^"']+)["']/g)].flatMap(([, clause, from]) =>
      clause !== undefined && from !== undefined && module.test(from) ? [clause] : [],
    );
  }

  /** The names of an import in braces, without those that are types only; null for any other form. */
  function namesIn(clause: string): string[] | null {
    if (clause.startsWith("type ")) return [];
    const [, names] = /^\{([^}]*)\}$/s.exec(clause) ?? [];
    if (names === undefined) return null;
    return names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "" && !name.startsWith("type "));
  }

  test("callers.ts exports these wrappers and no other", () => {
    const exported = Object.keys(functionModules["../../convex/callers.ts"] ?? {}).filter((name) => /Query|Mutation|Action/.test(name));
    expect(exported.sort()).toEqual(Object.keys(WRAPPERS).sort());
  });

  test.each(everyPath)("%s", (path) => {
    const [module, name] = path.split(":");
    const text = texts[`../../convex/${module ?? ""}.ts`] ?? "";
    const [, wrapper] = new RegExp(`^export const ${name ?? ""} = (\\w+)\\(`, "m").exec(text) ?? [];
    const imported = importsFrom(text, /^(\.\.?\/)+callers$/).flatMap((clause) => namesIn(clause) ?? []);
    expect(imported).toContain(wrapper);
    expect(WRAPPERS[wrapper ?? ""] ?? []).toContain(table.get(path));
  });

  test.each(sources)("%s makes no public function of its own", (_, text) => {
    for (const clause of importsFrom(text, /\/_generated\/server$/)) {
      const names = namesIn(clause);
      expect(names).not.toBeNull();
      for (const name of names ?? []) expect(["internalQuery", "internalMutation", "internalAction"]).toContain(name);
    }
    for (const clause of importsFrom(text, /^convex\/server$/)) expect(clause).not.toMatch(/\*|Generic\b|httpRouter/);
    expect(text).not.toMatch(/\bimport\s*\(|\brequire\s*\(/);
  });
});
