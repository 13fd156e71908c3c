/** The schedules of `crons.ts`: what they mean, and when each runs next. */

import { createHash } from "node:crypto";

import { nextTime, parseCron } from "./cron_expression.ts";
import { StartError, messageOf } from "./errors.ts";
import { canonicalPath } from "./registry.ts";

const SECOND_MS = 1_000;
const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

type Schedule =
  | { type: "interval"; seconds?: number; minutes?: number; hours?: number }
  | { type: "hourly"; minuteUTC?: number }
  | { type: "daily"; hourUTC: number; minuteUTC?: number }
  | { type: "weekly"; dayOfWeek: string; hourUTC: number; minuteUTC?: number }
  | { type: "monthly"; day: number; hourUTC: number; minuteUTC?: number }
  | { type: "cron"; cron: string };

export type CronJob = { name: string; path: string; args: string; schedule: Schedule };

/** Read the default export of crons.ts. @throws StartError */
export function readCrons(exported: unknown): CronJob[] {
  if (exported === undefined) return [];
  const { crons } = exported as { crons?: Record<string, { name: string; args: unknown; schedule: Schedule }> };
  if (crons === undefined) throw new StartError("crons.ts must export what cronJobs() gives as its default.");
  return Object.entries(crons).map(([name, cron]) => {
    const job: CronJob = { name, path: canonicalPath(cron.name), args: JSON.stringify(cron.args), schedule: cron.schedule };
    try {
      nextRun(job, 0);
    } catch (thrown) {
      throw new StartError(`crons.ts: the schedule of "${name}" cannot be read: ${messageOf(thrown)}.`);
    }
    return job;
  });
}

/** A minute of the job's own, so that schedules without one do not all run at the full hour. */
function ownMinute(name: string): number {
  return createHash("sha256").update(name).digest().readUInt16BE() % 60;
}

function intervalMs(schedule: Schedule & { type: "interval" }): number {
  return ((schedule.seconds ?? 0) + 60 * (schedule.minutes ?? 0) + 3600 * (schedule.hours ?? 0)) * SECOND_MS;
}

function expressionOf(name: string, schedule: Exclude<Schedule, { type: "interval" }>): string {
  if (schedule.type === "cron") return schedule.cron;
  const minute = String(schedule.minuteUTC ?? ownMinute(name));
  switch (schedule.type) {
    case "hourly":
      return `${minute} * * * *`;
    case "daily":
      return `${minute} ${String(schedule.hourUTC)} * * *`;
    case "weekly":
      return `${minute} ${String(schedule.hourUTC)} * * ${String(WEEKDAYS.indexOf(schedule.dayOfWeek))}`;
    case "monthly":
      return `${minute} ${String(schedule.hourUTC)} ${String(schedule.day)} * *`;
  }
}

/** The first run after a moment. @throws Error for a schedule that never comes */
export function nextRun({ name, schedule }: CronJob, afterMs: number): number {
  if (schedule.type === "interval") return afterMs + intervalMs(schedule);
  const next = nextTime(parseCron(expressionOf(name, schedule)), afterMs);
  if (next === null) throw new Error("it never comes");
  return next;
}

/** The first run of a job that is new: intervals start at once. */
export function firstRun(job: CronJob, nowMs: number): number {
  return job.schedule.type === "interval" ? nowMs : nextRun(job, nowMs);
}

/** The run after one that was due at `dueMs`; runs that were missed meanwhile are left out. */
export function runAfter(job: CronJob, dueMs: number, nowMs: number): number {
  if (job.schedule.type !== "interval") return nextRun(job, Math.max(dueMs, nowMs));
  const interval = intervalMs(job.schedule);
  return dueMs + interval * Math.max(1, Math.ceil((nowMs - dueMs) / interval));
}
