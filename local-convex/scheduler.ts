/**
 * Runs scheduled functions and crons when they are due.
 *
 * A mutation's job is marked done in the mutation's own transaction, so it runs exactly once whatever happens. An
 * action's job is marked as begun before, so it runs at most once: one that was interrupted is recorded as failed.
 */

import { setTimeout as pause } from "node:timers/promises";

import { INTERRUPTED } from "./actions.ts";
import { type CronJob, firstRun, runAfter } from "./crons.ts";
import { type Call, type Engine, NOT_RUN, type Result } from "./engine.ts";
import { messageOf } from "./errors.ts";
import { NOBODY } from "./identity.ts";
import { type Job, dueJobs, finishJob, interruptedJobs, isPending, nextDueMs, startJob } from "./jobs.ts";
import { newRequestId } from "./sync.ts";
import type { Transaction } from "./transaction.ts";

const MAX_CONCURRENT = 8;
/** setTimeout fires at once for more than 2^31 ms: long waits are taken in steps. */
const LONGEST_SLEEP_MS = 6 * 3_600_000;
const KEEP_FINISHED_MS = 7 * 24 * 3_600_000;
const KEEP_REQUESTS_MS = 24 * 3_600_000;
const CLEANING_EVERY_MS = 3_600_000;
const CLEANING_BATCH = 500;
/** After a failure of the deployment itself (a full disk), so that trying again does not become a busy loop. */
const PAUSE_AFTER_FAILURE_MS = 1_000;

function metadata(scheduledFunctionId: string | null): Call["request"] {
  return { ip: null, userAgent: null, requestId: newRequestId(), scheduledFunctionId };
}

export class Scheduler {
  readonly #engine: Engine;
  readonly #crons: Map<string, CronJob>;
  readonly #running = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #isPolling = false;
  #pollAgain = false;
  #stopped = false;
  #lastCleaningMs = 0;

  constructor(engine: Engine, crons: readonly CronJob[]) {
    this.#engine = engine;
    this.#crons = new Map(crons.map((cron) => [cron.name, cron]));
  }

  /** Record what an earlier process left unfinished, bring the crons in line, begin. */
  async start(): Promise<void> {
    await this.#engine.write((transaction) => {
      for (const job of interruptedJobs(transaction.connection)) finishJob(transaction, job.id, "failed", INTERRUPTED);
      this.#reconcileCrons(transaction);
    });
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Look for due work; called after each commit. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#isPolling) {
      this.#pollAgain = true;
      return;
    }
    this.#isPolling = true;
    setImmediate(() => {
      this.#poll().catch((thrown: unknown) => {
        process.stderr.write(`scheduler: ${messageOf(thrown)}\n`);
        this.#isPolling = false;
        this.#sleep(1_000);
      });
    });
  }

  #sleep(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.wake();
    }, Math.min(Math.max(ms, 0), LONGEST_SLEEP_MS));
  }

  #wasWokenMeanwhile(): boolean {
    const again = this.#pollAgain;
    this.#pollAgain = false;
    return again;
  }

  async #poll(): Promise<void> {
    do {
      if (this.#stopped) return;
      const nowMs = Date.now();
      if (nowMs - this.#lastCleaningMs > CLEANING_EVERY_MS) await this.#clean(nowMs);
      const free = MAX_CONCURRENT - this.#running.size;
      if (free > 0) this.#startDue(nowMs, free);
    } while (this.#wasWokenMeanwhile());
    this.#isPolling = false;
    // With every place taken, the end of a running job wakes the scheduler.
    if (this.#running.size >= MAX_CONCURRENT) return;
    const next = this.#engine.read(({ connection }) => {
      const cron = connection.get("SELECT min(next_ms) AS due FROM crons WHERE state = 'waiting'")?.["due"] as number | null | undefined;
      const times = [nextDueMs(connection), cron ?? null].filter((due) => due !== null);
      return times.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...times);
    });
    this.#sleep(next - Date.now());
  }

  #startDue(nowMs: number, free: number): void {
    const { jobs, crons } = this.#engine.read(({ connection }) => ({
      jobs: dueJobs(connection, nowMs, free + this.#running.size),
      crons: connection.all("SELECT name, next_ms FROM crons WHERE state = 'waiting' AND next_ms <= ? ORDER BY next_ms", nowMs),
    }));
    const starts: { key: string; start: () => Promise<void> }[] = [
      ...crons.map((row) => ({ key: `cron ${row["name"] as string}`, start: () => this.#runCron(row["name"] as string, row["next_ms"] as number) })),
      ...jobs.map((job) => ({ key: job.id, start: () => this.#runJob(job) })),
    ];
    for (const { key, start } of starts.filter((candidate) => !this.#running.has(candidate.key)).slice(0, free)) {
      this.#running.add(key);
      start()
        .catch(async (thrown: unknown) => {
          process.stderr.write(`scheduler: ${messageOf(thrown)}\n`);
          await pause(PAUSE_AFTER_FAILURE_MS, undefined, { ref: false });
        })
        .finally(() => {
          this.#running.delete(key);
          this.wake();
        });
    }
  }

  #call(path: string, args: string, scheduledFunctionId: string | null): Call {
    return { path, args: JSON.parse(args) as unknown, identity: NOBODY, request: metadata(scheduledFunctionId), internal: true };
  }

  async #runJob(job: Job): Promise<void> {
    const engine = this.#engine;
    const call = this.#call(job.path, job.args, job.id);
    if (engine.registry.find(job.path)?.type === "action") {
      const started = await engine.write((transaction) => {
        if (!isPending(transaction.connection, job.id)) return false;
        startJob(transaction, job.id);
        return true;
      });
      if (started) await this.#finish(job.id, await engine.runAction(call));
      return;
    }
    const { result } = await engine.runMutation(
      call,
      (transaction) => {
        finishJob(transaction, job.id, "success");
      },
      // It may have been cancelled since it was found.
      ({ connection }) => isPending(connection, job.id),
    );
    if (!result.ok && result.message !== NOT_RUN) await this.#finish(job.id, result);
  }

  async #finish(id: string, result: Result): Promise<void> {
    await this.#engine.write((transaction) => {
      if (result.ok) finishJob(transaction, id, "success");
      else finishJob(transaction, id, "failed", result.message);
    });
  }

  #reconcileCrons({ connection }: Transaction): void {
    const nowMs = Date.now();
    const known = new Map(connection.all("SELECT name, definition FROM crons").map((row) => [row["name"] as string, row["definition"] as string]));
    for (const name of known.keys()) if (!this.#crons.has(name)) connection.run("DELETE FROM crons WHERE name = ?", name);
    // An action that an earlier process had begun is not run again.
    connection.run("UPDATE crons SET state = 'waiting'");
    for (const cron of this.#crons.values()) {
      const definition = JSON.stringify([cron.path, cron.args, cron.schedule]);
      const before = known.get(cron.name);
      if (before === definition) continue;
      const [, , scheduleBefore] = JSON.parse(before ?? "[]") as unknown[];
      if (JSON.stringify(scheduleBefore) === JSON.stringify(cron.schedule)) {
        connection.run("UPDATE crons SET definition = ? WHERE name = ?", definition, cron.name);
        continue;
      }
      connection.run("INSERT OR REPLACE INTO crons (name, definition, next_ms, state) VALUES (?, ?, ?, 'waiting')", cron.name, definition, firstRun(cron, nowMs));
    }
  }

  async #runCron(name: string, dueMs: number): Promise<void> {
    const cron = this.#crons.get(name);
    if (cron === undefined) return;
    const engine = this.#engine;
    const call = this.#call(cron.path, cron.args, null);
    const nextMs = runAfter(cron, dueMs, Date.now());
    const advance = ({ connection }: Transaction): void => {
      connection.run("UPDATE crons SET next_ms = ? WHERE name = ?", nextMs, name);
    };
    let result: Result;
    if (engine.registry.find(cron.path)?.type === "action") {
      await engine.write(advance);
      result = await engine.runAction(call);
    } else {
      ({ result } = await engine.runMutation(call, advance));
      if (!result.ok) await engine.write(advance);
    }
    if (!result.ok) process.stderr.write(`cron "${name}": ${result.message}\n`);
  }

  /** Forget finished jobs after seven days and answered requests after one, as nobody asks for them any more. */
  async #clean(nowMs: number): Promise<void> {
    this.#lastCleaningMs = nowMs;
    // In several small transactions, for others to come between.
    let removed: number;
    do removed = await this.#engine.write((transaction) => removeOld(transaction, nowMs));
    while (removed === CLEANING_BATCH && !this.#stopped);
  }
}

function removeOld(transaction: Transaction, nowMs: number): number {
  const { connection } = transaction;
  connection.run("DELETE FROM session_requests WHERE finished_ms < ?", nowMs - KEEP_REQUESTS_MS);
  const old = connection.all("SELECT id FROM finished_jobs WHERE finished_ms < ? LIMIT ?", nowMs - KEEP_FINISHED_MS, CLEANING_BATCH);
  for (const row of old) {
    const id = row["id"] as string;
    const stored = transaction.systemDocument("_scheduled_functions", id);
    if (stored !== null) transaction.remove(stored.table, id, stored);
    connection.run("DELETE FROM finished_jobs WHERE id = ?", id);
  }
  return old.length;
}
