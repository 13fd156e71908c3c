/** A hundred people at once, in one group and in one playlist, behind the real program: nobody hears of a conflict. */

import { fileURLToPath } from "node:url";

import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";

import { newToken } from "../convex/public_functions.ts";
import { type Running, removeFolder, start } from "./deployment.ts";

const ISSUER = "https://raga-bot.test";
const PEOPLE = Array.from({ length: 100 }, (_, number) => `discord:${String(number)}`);

let deployment: Running;
const tokens = new Map<string, string>();

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "k", alg: "ES256", use: "sig" };
  const jwks = `data:application/json;base64,${Buffer.from(JSON.stringify({ keys: [jwk] })).toString("base64")}`;
  const sign = (subject: string, claims: object): Promise<string> =>
    new SignJWT({ bot: "b1", ...claims }).setProtectedHeader({ alg: "ES256", kid: "k" }).setSubject(subject).setIssuer(ISSUER).setAudience("raga-bot").setIssuedAt().setExpirationTime("10m").sign(privateKey);
  for (const person of PEOPLE) tokens.set(person, await sign(person, { role: "user", name: person }));
  tokens.set("admin", await sign("discord:admin", { role: "user", name: "Guru", admin: "discord:g1" }));
  const env = { RAGA_JWT_ISSUER: ISSUER, RAGA_JWT_JWKS: jwks, RAGA_GROUP_PIECES_AN_HOUR: "150" };
  deployment = await start({ functions: fileURLToPath(new URL("../../convex", import.meta.url)), env });
});

afterAll(async () => {
  await deployment.stop();
  removeFolder(deployment.state);
});

type Answer = { status: number; body: { status: string; value?: unknown; errorMessage?: string } };

async function call(kind: "query" | "mutation", who: string, path: string, args: object): Promise<Answer> {
  const headers = { Authorization: `Bearer ${tokens.get(who) ?? ""}` };
  const response = await fetch(`${deployment.url}/api/${kind}`, { method: "POST", headers, body: JSON.stringify({ path, args, format: "convex_encoded_json" }) });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

/** The same call of everybody at once; each must work. */
async function everybody(path: string, args: (person: string) => object): Promise<unknown[]> {
  const answers = await Promise.all(PEOPLE.map((person) => call("mutation", person, path, args(person))));
  expect(answers.filter(({ status, body }) => status !== 200 || body.status !== "success")).toEqual([]);
  return answers.map(({ body }) => body.value);
}

const request = { musicType: "instrumental", mood: "calm", theme: "evening", duration: 30 };
const left = async (): Promise<unknown> => ((await call("query", "admin", "groups:show", { guild: "g1" })).body.value as { pieces: { left: number } }).pieces.left;

test("all have a piece made in one group, each is counted once, and all of it comes back", async () => {
  const ids = await everybody("musicGeneration:startGeneration", (person) => ({ request, idempotencyKey: "k", delivery: { platform: "discord", chat: "c1", message: person, group: "g1" } }));
  expect(new Set(ids).size).toBe(100);
  // Buckets fill while they are emptied: what is there is what was left, and what came since.
  const after = (await left()) as number;
  expect(after).toBeGreaterThanOrEqual(50);
  expect(after).toBeLessThan(60);
  await everybody("musicGeneration:cancel", () => ({}));
  expect(await left()).toBe(150);
});

test("all find room in one playlist of a hundred, and one more does not", async () => {
  const [owner = ""] = PEOPLE;
  const { playlistId } = (await call("mutation", owner, "playlists:create", { name: "All", idempotencyKey: "p" })).body.value as { playlistId: string };
  const { token } = (await call("mutation", owner, "playlists:invite", { playlistId, role: "listener", token: newToken() })).body.value as { token: string };
  await everybody("playlists:join", () => ({ token }));
  expect((await call("query", owner, "playlists:members", { playlistId })).body.value).toHaveLength(100);
  const late = await call("mutation", "admin", "playlists:join", { token });
  expect(late.body).toMatchObject({ status: "error", errorData: { code: "too_many" } });
});
