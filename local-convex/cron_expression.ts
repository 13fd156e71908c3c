/** Cron expressions of five fields in UTC: minute, hour, day of month, month, day of week. */

type Field = { name: string; min: number; max: number; names?: readonly string[] };

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const FIELDS: readonly Field[] = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: MONTHS },
  // Sunday is 0 and 7.
  { name: "day of week", min: 0, max: 7, names: DAYS },
];
const MACROS: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const MINUTE_MS = 60_000;
// 29 February on a given weekday can be 40 years away, over a century without a leap day.
const FURTHEST_YEARS = 50;

export type CronExpression = {
  minutes: Set<number>;
  hours: Set<number>;
  days: Set<number>;
  months: Set<number>;
  weekdays: Set<number>;
  /** With both days restricted, either one is enough, as cron has it. */
  eitherDay: boolean;
};

function readNumber(field: Field, text: string): number {
  const named = field.names?.indexOf(text.toUpperCase().slice(0, 3)) ?? -1;
  const isName = /^[a-z]{3,}$/i.test(text) && named !== -1;
  const number = isName ? named + (field.min === 1 ? 1 : 0) : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= field.min && number <= field.max)) {
    throw new Error(`"${text}" is no ${field.name} (${String(field.min)} to ${String(field.max)})`);
  }
  return number;
}

function readField(field: Field, text: string): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [range = "", stepText, ...rest] = part.split("/");
    const step = stepText === undefined ? 1 : Number(stepText);
    if (rest.length > 0 || !Number.isInteger(step) || step < 1) throw new Error(`"${part}" has no valid step in ${field.name}`);
    let low = field.min;
    let high = field.max;
    if (range !== "*" && range !== "?") {
      const [from = "", to, ...more] = range.split("-");
      if (more.length > 0) throw new Error(`"${range}" is no range of ${field.name}s`);
      low = readNumber(field, from);
      high = to === undefined ? (stepText === undefined ? low : field.max) : readNumber(field, to);
      if (low > high) throw new Error(`"${range}" runs backwards in ${field.name}`);
    }
    for (let value = low; value <= high; value += step) values.add(value);
  }
  return values;
}

/**
 * Read an expression such as `0 16 * * 1-5`, `@daily`.
 *
 * @throws Error saying which part is wrong
 */
export function parseCron(expression: string): CronExpression {
  const text = expression.trim();
  const parts = (MACROS[text.toLowerCase()] ?? text).split(/\s+/);
  if (parts.length !== FIELDS.length) throw new Error(`"${expression}" needs five fields: minute hour day-of-month month day-of-week`);
  const [minutes, hours, days, months, weekdays] = FIELDS.map((field, position) => readField(field, parts[position] as string)) as [
    Set<number>, Set<number>, Set<number>, Set<number>, Set<number>,
  ];
  if (weekdays.delete(7)) weekdays.add(0);
  const isOpen = (part: string | undefined): boolean => part === undefined || part.startsWith("*") || part.startsWith("?");
  return { minutes, hours, days, months, weekdays, eitherDay: !isOpen(parts[2]) && !isOpen(parts[4]) };
}

function dayMatches(cron: CronExpression, date: Date): boolean {
  const inMonth = cron.days.has(date.getUTCDate());
  const inWeek = cron.weekdays.has(date.getUTCDay());
  return cron.months.has(date.getUTCMonth() + 1) && (cron.eitherDay ? inMonth || inWeek : inMonth && inWeek);
}

/** The first moment after `afterMs` (milliseconds since 1970) that an expression names; null when there is none. */
export function nextTime(cron: CronExpression, afterMs: number): number | null {
  const date = new Date(Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS);
  const lastYear = date.getUTCFullYear() + FURTHEST_YEARS;
  while (date.getUTCFullYear() <= lastYear) {
    if (!cron.months.has(date.getUTCMonth() + 1)) {
      date.setUTCMonth(date.getUTCMonth() + 1, 1);
      date.setUTCHours(0, 0, 0, 0);
    } else if (!dayMatches(cron, date)) {
      date.setUTCDate(date.getUTCDate() + 1);
      date.setUTCHours(0, 0, 0, 0);
    } else if (!cron.hours.has(date.getUTCHours())) {
      date.setUTCHours(date.getUTCHours() + 1, 0, 0, 0);
    } else if (!cron.minutes.has(date.getUTCMinutes())) {
      date.setUTCMinutes(date.getUTCMinutes() + 1, 0, 0);
    } else {
      return date.getTime();
    }
  }
  return null;
}
