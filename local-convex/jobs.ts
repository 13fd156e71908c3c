/** Scheduled functions inside transactions: making, cancelling, finishing them. The clock work is in `scheduler.ts`. */

import { SCHEDULED_TABLE } from "./catalog.ts";
import type { Connection } from "./database.ts";
import { DeveloperError } from "./errors.ts";
import { decodeId } from "./ids.ts";
import type { Registry } from "./registry.ts";
import type { Transaction } from "./transaction.ts";
import { type Fields, type Value, decode, decodeFields, newFields } from "./values.ts";

const FIVE_YEARS_S = 5 * 366 * 24 * 3600;

export type JobState = "pending" | "inProgress" | "success" | "failed" | "canceled";
export type Job = { id: string; path: string; args: string; dueMs: number };

function stateFields(kind: JobState, error?: string): Fields {
  const state = newFields();
  if (error !== undefined) state["error"] = error;
  state["kind"] = kind;
  return state;
}

/**
 * Put a function call on the schedule.
 *
 * @param ts when, in seconds since 1970
 * @returns the job's id in `_scheduled_functions`
 */
export function scheduleJob(transaction: Transaction, registry: Registry, path: string, argsGiven: unknown, ts: number, nowMs: number): string {
  if (!Number.isFinite(ts)) throw new DeveloperError("Invalid argument for `scheduler`: the time must be a number");
  const delta = ts - nowMs / 1000;
  if (delta > FIVE_YEARS_S) throw new DeveloperError(`${new Date(nowMs).toISOString()} plus ${String(delta)} s is more than 5 years in the future`);
  if (delta < -FIVE_YEARS_S) throw new DeveloperError(`${new Date(nowMs).toISOString()} minus ${String(-delta)} s is more than 5 years in the past`);
  const module = path.slice(0, path.lastIndexOf(":"));
  const name = path.slice(path.lastIndexOf(":") + 1);
  if (!registry.hasModule(module)) throw new DeveloperError(`Attempted to schedule function at nonexistent path: ${module}`);
  if (registry.find(path) === undefined) {
    throw new DeveloperError(`Attempted to schedule function, but no exported function ${name} found in the file: ${module}.js. Did you forget to export it?`);
  }
  const args = Array.isArray(argsGiven) ? (argsGiven as unknown[]) : [argsGiven];
  const json = JSON.stringify(args);
  transaction.charge("functionsScheduled", 1);
  transaction.charge("scheduledFunctionArgsBytes", json.length);
  const dueMs = ts * 1000;
  const fields = newFields();
  fields["args"] = args.map((arg) => decode(arg));
  fields["name"] = `${module}.js:${name}`;
  fields["scheduledTime"] = dueMs;
  fields["state"] = stateFields("pending");
  const id = transaction.insert(SCHEDULED_TABLE, fields);
  transaction.connection.run("INSERT INTO jobs (id, due_ms, path, args, state) VALUES (?, ?, ?, ?, 'pending')", id, dueMs, path, json);
  return id;
}

function setState(transaction: Transaction, id: string, state: Fields, completedMs: number | null): void {
  const stored = transaction.systemDocument(SCHEDULED_TABLE, id);
  if (stored === null) return;
  const fields = decodeFields(JSON.parse(stored.json));
  fields["state"] = state;
  if (completedMs !== null) fields["completedTime"] = completedMs;
  transaction.update(stored.table, id, stored, fields);
}

export function startJob(transaction: Transaction, id: string): void {
  transaction.connection.run("UPDATE jobs SET state = 'inProgress' WHERE id = ?", id);
  setState(transaction, id, stateFields("inProgress"), null);
}

/** Record how a job ended; only the first ending counts (an action may have been cancelled while it ran). */
export function finishJob(transaction: Transaction, id: string, kind: "success" | "failed" | "canceled", error?: string): void {
  const nowMs = Date.now();
  const { changes } = transaction.connection.run("DELETE FROM jobs WHERE id = ?", id);
  if (changes === 0) return;
  transaction.connection.run("INSERT INTO finished_jobs (id, finished_ms) VALUES (?, ?)", id, nowMs);
  setState(transaction, id, stateFields(kind, error), nowMs);
}

export function cancelJob(transaction: Transaction, id: Value): void {
  const table = transaction.catalog.table(SCHEDULED_TABLE);
  const decoded = typeof id === "string" ? decodeId(id) : { error: "expected a string" };
  if (typeof id !== "string" || "error" in decoded) {
    throw new DeveloperError(`Invalid argument \`id\` for \`db.cancel_job\`: ${"error" in decoded ? decoded.error : ""}`);
  }
  if (decoded.table !== table?.number) throw new DeveloperError("Invalid argument `id` for `db.cancel_job`: it is not an id of `_scheduled_functions`.");
  finishJob(transaction, id, "canceled");
}

function toJob(row: Record<string, unknown>): Job {
  return { id: row["id"] as string, path: row["path"] as string, args: row["args"] as string, dueMs: row["due_ms"] as number };
}

export function dueJobs(connection: Connection, nowMs: number, limit: number): Job[] {
  return connection.all("SELECT * FROM jobs WHERE state = 'pending' AND due_ms <= ? ORDER BY due_ms LIMIT ?", nowMs, limit).map(toJob);
}

export function nextDueMs(connection: Connection): number | null {
  const row = connection.get("SELECT min(due_ms) AS due FROM jobs WHERE state = 'pending'");
  return (row?.["due"] as number | null | undefined) ?? null;
}

export function isPending(connection: Connection, id: string): boolean {
  return connection.get("SELECT 1 FROM jobs WHERE id = ? AND state = 'pending'", id) !== undefined;
}

export function interruptedJobs(connection: Connection): Job[] {
  return connection.all("SELECT * FROM jobs WHERE state = 'inProgress'").map(toJob);
}
