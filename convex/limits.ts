/** Bounds of everything that callers may send, and the checks that keep them. */
import { v } from "convex/values";
import type { PaginationOptions } from "convex/server";
import { invalid } from "./refusals";

export const DURATION_S = [5, 600] as const;
export const TEMPO_BPM = [30, 400] as const;
export const SEED_MAX = 2 ** 31 - 1;
export const INSTRUMENTS_MAX = 8;
export const UNFINISHED_MAX = 5;
/** One person links no more accounts than these. */
export const ACCOUNTS_MAX = 20;
export const ATTEMPTS_MAX = 3;
export const LEASE_S = [10, 600] as const;
export const PAGE_MAX = 100;
export const HISTORY_MAX = 100;
export const SEARCH_MAX = 50;
export const UPSERT_MAX = 100;

/** So many ragas fit into one answer of ragas:getAll at the largest size of a raga (16 MiB). */
export const CATALOGUE_MAX = 2000;
export const RAGA_BYTES_MAX = 8192;

/** Lengths in UTF-16 units. */
export const NAME_MAX = 100;
export const WORD_MAX = 60;
export const SENTENCE_MAX = 500;
export const KEY_MAX = 200;
export const PLACE_MAX = 200;

/** Where a message stands, as a caller names it. */
export const place = v.object({ platform: v.string(), chat: v.string() });

/** Refuses an empty, blank or overlong text; returns it as it is. `label` begins the sentence. */
export function text(label: string, value: string, max: number): string {
  if (value.trim() === "") throw invalid(`${label} must not be empty.`);
  if (value.length > max) throw invalid(`${label} may have at most ${String(max)} characters.`);
  return value;
}

/** Refuses what is not a finite number within the bounds, NaN among it; returns it as it is. */
export function within(label: string, value: number, low: number, high: number): number {
  if (!Number.isFinite(value) || value < low || value > high) {
    throw invalid(`${label} must lie between ${String(low)} and ${String(high)}.`);
  }
  return value;
}

/** The same for whole numbers. */
export function whole(label: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw invalid(`${label} must be a whole number from ${String(low)} to ${String(high)}.`);
  }
  return value;
}

/** Refuses pages that are empty or too large; leaves what reactive clients add. */
export function pageSize(options: PaginationOptions): PaginationOptions {
  whole("The size of a page", options.numItems, 1, PAGE_MAX);
  return options;
}

/** Runs a paginated read; a cursor that Convex cannot read becomes a refusal in words. */
export async function pageOf<Result>(
  options: PaginationOptions,
  read: (options: PaginationOptions) => Promise<Result>,
): Promise<Result> {
  const checked = pageSize(options);
  try {
    return await read(checked);
  } catch (error) {
    if (checked.cursor === null) throw error;
    throw invalid("This list has changed since. Please open it again from its beginning.");
  }
}
