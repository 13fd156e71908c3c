/** Starts the real program as a process of its own, for tests. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { SignJWT, exportJWK, generateKeyPair } from "jose";

const here = fileURLToPath(new URL(".", import.meta.url));
export const FUNCTIONS = join(here, "functions");
const PROGRAM = resolve(here, "../../local-convex/main.ts");
/** As the bot has it: what is compiled once is kept. */
const NODE_COMPILE_CACHE = resolve(here, "../../node_modules/.cache/node");
const START_DEADLINE_MS = 15_000;

export type Running = {
  url: string;
  state: string;
  adminKey: string;
  process: ChildProcess;
  /** What it wrote to standard error so far. */
  errors: () => string;
  stop: () => Promise<number | null>;
  kill: () => Promise<void>;
};
export type StartOptions = { functions?: string; state?: string; port?: number; env?: Record<string, string>; flags?: string[] };

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "local-convex-"));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

export function exited(child: ChildProcess): Promise<number | null> {
  return new Promise((resolveExit) => {
    if (child.exitCode !== null || child.signalCode !== null) resolveExit(child.exitCode);
    else child.once("exit", resolveExit);
  });
}

export function launch({ functions = FUNCTIONS, state = newFolder(), port = 0, env = {}, flags = [] }: StartOptions): { child: ChildProcess; state: string } {
  const args = [PROGRAM, "--functions", functions, "--state", state, "--port", String(port), "--exit-with-stdin", ...flags];
  return { child: spawn(process.execPath, args, { env: { NODE_COMPILE_CACHE, ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] }), state };
}

/** Start and wait until it listens; fails with what it said when it ends before. */
export async function start(options: StartOptions = {}): Promise<Running> {
  const { child, state } = launch(options);
  let output = "";
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const url = await new Promise<string>((resolveUrl, reject) => {
    const deadline = setTimeout(() => {
      reject(new Error(`not listening in time: ${errors}`));
    }, START_DEADLINE_MS);
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const [, found] = /Convex is listening at (\S+)\n/.exec(output) ?? [];
      if (found === undefined) return;
      clearTimeout(deadline);
      resolveUrl(found);
    });
    child.once("exit", () => {
      clearTimeout(deadline);
      reject(new Error(errors));
    });
  });
  return {
    url,
    state,
    adminKey: readFileSync(join(state, "admin_key"), "utf8").trim(),
    process: child,
    errors: () => errors,
    stop: async () => {
      child.kill("SIGTERM");
      return exited(child);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited(child);
    },
  };
}

export const ISSUER = "https://issuer.test";

/** Keys of a token issuer, the environment that makes the fixture functions trust them, and a way to sign. */
export async function issuer(): Promise<{ env: Record<string, string>; sign: (claims?: Record<string, unknown>, options?: SignOptions) => Promise<string> }> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "first", alg: "ES256", use: "sig" }] };
  const jwks = `data:application/json;base64,${Buffer.from(JSON.stringify(keys)).toString("base64")}`;
  return {
    env: { TEST_JWT_ISSUER: ISSUER, TEST_JWT_JWKS: jwks },
    sign: (claims = {}, { issuer: from = ISSUER, audience = "tests", kid = "first", expiresInS = 600, subject = "someone" } = {}) => {
      const nowS = Math.floor(Date.now() / 1000);
      return new SignJWT(claims)
        .setProtectedHeader(kid === null ? { alg: "ES256" } : { alg: "ES256", kid })
        .setIssuer(from)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt(nowS - 60)
        .setExpirationTime(nowS + expiresInS)
        .sign(privateKey);
    },
  };
}

type SignOptions = { issuer?: string; audience?: string; kid?: string | null; expiresInS?: number; subject?: string };

/** Ask again until the answer is as hoped; there is no event to wait for on the other side of a process. */
export async function eventually<Answer>(ask: () => Promise<Answer>, hoped: (answer: Answer) => boolean, deadlineMs = 10_000): Promise<Answer> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (hoped(answer)) return answer;
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(answer)} after ${String(deadlineMs)} ms`);
    await new Promise((again) => setTimeout(again, 20));
  }
}
