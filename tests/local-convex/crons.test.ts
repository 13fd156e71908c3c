import { describe, expect, test } from "vitest";

import { nextTime, parseCron } from "../../local-convex/cron_expression.ts";
import { type CronJob, firstRun, nextRun, runAfter } from "../../local-convex/crons.ts";

function next(expression: string, after: string): string | null {
  const time = nextTime(parseCron(expression), Date.parse(after));
  return time === null ? null : new Date(time).toISOString().slice(0, 16);
}

describe("cron expressions", () => {
  test.each([
    ["* * * * *", "2026-03-01T10:00:30Z", "2026-03-01T10:01"],
    ["*/15 * * * *", "2026-03-01T10:00:00Z", "2026-03-01T10:15"],
    ["0 16 * * 1-5", "2026-02-27T16:00:00Z", "2026-03-02T16:00"],
    ["30 4 1,15 * *", "2026-01-15T04:30:00Z", "2026-02-01T04:30"],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00"],
    ["0 0 31 * *", "2026-04-01T00:00:00Z", "2026-05-31T00:00"],
    ["0 0 * * 7", "2026-03-02T00:00:00Z", "2026-03-08T00:00"],
    ["0 0 * * SUN", "2026-03-02T00:00:00Z", "2026-03-08T00:00"],
    ["0 9 * JAN-MAR MON", "2026-03-31T00:00:00Z", "2027-01-04T09:00"],
    // Both days restricted: either is enough.
    ["0 0 13 * 5", "2026-03-01T00:00:00Z", "2026-03-06T00:00"],
    ["5/20 * * * *", "2026-03-01T10:26:00Z", "2026-03-01T10:45"],
    ["@daily", "2026-12-31T23:59:59Z", "2027-01-01T00:00"],
    ["59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59"],
  ])("%s after %s", (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  test.each(["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "a * * * *", "1-2-3 * * * *"])(
    "refuses %j",
    (expression) => {
      expect(() => parseCron(expression)).toThrow(Error);
    },
  );

  test("30 February never comes", () => {
    expect(next("0 0 30 2 *", "2026-01-01T00:00:00Z")).toBeNull();
  });
});

describe("schedules", () => {
  const job = (schedule: CronJob["schedule"]): CronJob => ({ name: "test", path: "a:b", args: "[]", schedule });
  const at = (text: string): number => Date.parse(text);

  test("an interval starts at once and keeps its rhythm, leaving out what was missed", () => {
    const interval = job({ type: "interval", minutes: 10 });
    expect(firstRun(interval, at("2026-01-01T00:00:03Z"))).toBe(at("2026-01-01T00:00:03Z"));
    expect(runAfter(interval, at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:01Z"))).toBe(at("2026-01-01T00:10:00Z"));
    expect(runAfter(interval, at("2026-01-01T00:00:00Z"), at("2026-01-01T00:35:00Z"))).toBe(at("2026-01-01T00:40:00Z"));
  });

  test("daily, weekly, monthly, hourly", () => {
    const from = at("2026-03-04T12:00:00Z");
    expect(nextRun(job({ type: "daily", hourUTC: 3, minuteUTC: 5 }), from)).toBe(at("2026-03-05T03:05:00Z"));
    expect(nextRun(job({ type: "weekly", dayOfWeek: "monday", hourUTC: 3, minuteUTC: 0 }), from)).toBe(at("2026-03-09T03:00:00Z"));
    expect(nextRun(job({ type: "monthly", day: 31, hourUTC: 3, minuteUTC: 0 }), from)).toBe(at("2026-03-31T03:00:00Z"));
    expect(nextRun(job({ type: "hourly", minuteUTC: 30 }), from)).toBe(at("2026-03-04T12:30:00Z"));
    const own = nextRun(job({ type: "hourly" }), from);
    expect(own).toBeGreaterThan(from);
    expect(nextRun(job({ type: "hourly" }), own) - own).toBe(3_600_000);
  });
});
