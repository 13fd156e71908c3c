/** The project's functions on convex-test, and the callers who use them. */

import { convexTest } from "convex-test";
import type { FunctionArgs, FunctionReturnType } from "convex/server";
import { ConvexError } from "convex/values";
import { expect, vi } from "vitest";

import { api } from "../../convex/_generated/api.js";
import type { Id } from "../../convex/_generated/dataModel.js";
import type { RefusalCode } from "../../convex/refusals.ts";
import schema from "../../convex/schema.ts";

const modules = import.meta.glob(["../../convex/**/*.ts", "../../convex/_generated/*.js"]);

export const ISSUER = "https://raga-bot.test";
export const WORKER = "worker:w1";
export const OTHER_WORKER = "worker:w2";
export const LEASE_S = 90;
export const DAY_MS = 86_400_000;

export type PieceId = Id<"musicGenerations">;
export type FileId = Id<"_storage">;
export type World = ReturnType<typeof world>;
export type Caller = World["asha"];
export type Start = FunctionArgs<typeof api.musicGeneration.startGeneration>;
export type Raga = FunctionArgs<typeof api.catalogue.upsert>["ragas"][number];
export type Task = NonNullable<FunctionReturnType<typeof api.jobs.claim>>;

export function chatAccount(subject: string, name: string, bot = "b1"): Record<string, string> {
  return { issuer: ISSUER, subject, role: "user", bot, name };
}

/**
 * A deployment of its own with nothing in it: two people of one bot, another bot, two workers. `limits`: what one
 * transaction may read and write is bounded as in Convex.
 */
export function world({ limits = false } = {}) {
  vi.stubEnv("RAGA_JWT_ISSUER", ISSUER);
  const backend = convexTest({ schema, modules, transactionLimits: limits });
  const asRobot = (role: string, subject: string, more = {}) => backend.withIdentity({ issuer: ISSUER, subject, role, ...more });
  return {
    backend,
    asha: backend.withIdentity(chatAccount("discord:1", "Asha")),
    ravi: backend.withIdentity(chatAccount("telegram:2", "Ravi")),
    bot: asRobot("bot", "bot:b1", { bot: "b1" }),
    otherBot: asRobot("bot", "bot:b2", { bot: "b2" }),
    worker: asRobot("worker", WORKER),
    otherWorker: asRobot("worker", OTHER_WORKER),
  };
}

export const REQUEST: Start["request"] = { musicType: "instrumental", mood: "calm", theme: "evening", duration: 30 };

/** Where the first message of Asha's bot stands. */
export const POSTED = { platform: "discord", chat: "c1", message: "m1" };
export const PLACE = { platform: "discord", chat: "c1" };

export function begin(caller: Caller, more: Partial<Start> = {}): Promise<PieceId> {
  return caller.mutation(api.musicGeneration.startGeneration, { request: REQUEST, ...more });
}

export function pageFrom(cursor: string | null = null, numItems = 10): { paginationOpts: { cursor: string | null; numItems: number } } {
  return { paginationOpts: { cursor, numItems } };
}

export function upload({ backend }: World, content = "audio"): Promise<FileId> {
  return backend.run((ctx) => ctx.storage.store(new Blob([content])));
}

export async function claimed({ worker }: World): Promise<Task> {
  const task = await worker.mutation(api.jobs.claim, { worker: WORKER, leaseS: LEASE_S });
  if (task === null) throw new Error("No piece waits.");
  return task;
}

export const METADATA = { title: "Yaman", performer: "Raga Bot", durationS: 30, tonicHz: 146.8, tempoBpm: 60, tala: "Tintal", sizeBytes: 5 };

/** A piece of this person, made and handed in by the worker. No other piece may wait. */
export async function finished(all: World, owner: Caller, more: Partial<Start> = {}): Promise<{ piece: PieceId; audio: FileId }> {
  const piece = await begin(owner, more);
  const { attempt, generationId } = await claimed(all);
  expect(generationId).toBe(piece);
  const audio = await upload(all);
  const handedIn = { generationId: piece, worker: WORKER, attempt, audioFileId: audio, metadata: METADATA };
  expect(await all.worker.mutation(api.jobs.complete, handedIn)).toEqual({ accepted: true });
  return { piece, audio };
}

export function raga(name: string, more: Partial<Raga> = {}): Raga {
  return { name, tradition: "Hindustani", arohana: ["S", "R2", "G3", "P", "S'"], avarohana: ["S'", "P", "G3", "R2", "S"], ...more };
}

/** Waits for a refusal of this code, in a sentence for a person; gives the sentence. */
export async function refusal(answer: Promise<unknown>, code: RefusalCode): Promise<string> {
  const error: unknown = await answer.then(
    (value: unknown) => new Error(`not refused, but answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConvexError)) throw error;
  const data = (error as ConvexError<{ code: string; message: string }>).data;
  expect(data).toEqual({ code, message: expect.stringMatching(/^[A-Z0-9].{5,200}$/) as string });
  return data.message;
}

/** How many rows each table holds, for those that hold any; files count as `_storage`. Allowances have tests of their own. */
export function rows({ backend }: World): Promise<Record<string, number>> {
  return backend.run(async (ctx) => {
    const counts: Record<string, number> = {};
    for (const table of Object.keys(schema.tables) as (keyof typeof schema.tables)[]) {
      const { length } = await ctx.db.query(table).collect();
      if (table === "rateLimits") continue;
      if (length > 0) counts[table] = length;
    }
    const { length } = await ctx.db.system.query("_storage").collect();
    return length > 0 ? { ...counts, _storage: length } : counts;
  });
}
