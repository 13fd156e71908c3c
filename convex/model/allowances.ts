/** How much of what a person may have: token buckets by convex-helpers, and giving back what was not used. */
import { checkRateLimit, rateLimit, resetRateLimit, type RateLimitConfig } from "convex-helpers/server/rateLimit";
import type { Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Each allowance: `capacity` at once, and `rate` more in each `period` (ms). */
const USUAL = {
  /** Pieces of a user. */
  pieces: { kind: "token bucket", rate: 20, period: HOUR_MS, capacity: 20 },
  /** Seconds of music of a user. */
  seconds: { kind: "token bucket", rate: 3600, period: DAY_MS, capacity: 3600 },
  /** Pieces of a server or group. */
  group: { kind: "token bucket", rate: 60, period: HOUR_MS, capacity: 60 },
  /** Wrong link codes of an account: five, then one every three minutes. */
  linkTries: { kind: "token bucket", rate: 1, period: 3 * MINUTE_MS, capacity: 5 },
  /** Wrong links to pieces and playlists of an account. They cannot be guessed; whoever tries makes no calls for nothing. */
  tokenTries: { kind: "token bucket", rate: 1, period: MINUTE_MS, capacity: 10 },
  /** Link codes that an account asks for. */
  linkCodes: { kind: "token bucket", rate: 10, period: HOUR_MS, capacity: 10 },
} as const satisfies Record<string, RateLimitConfig & { capacity: number }>;

export type Allowance = keyof typeof USUAL;

/** By which variable of the deployment an operator sets another number. */
const VARIABLES: Partial<Record<Allowance, string>> = {
  pieces: "RAGA_PIECES_AN_HOUR",
  seconds: "RAGA_SECONDS_A_DAY",
  group: "RAGA_GROUP_PIECES_AN_HOUR",
};

/**
 * An allowance as it stands: the usual one, or what the operator has set; `most`, where somebody wants it smaller than
 * that.
 */
export function allowance(name: Allowance, most = Infinity): RateLimitConfig & { capacity: number } {
  const variable = VARIABLES[name];
  const given = variable === undefined ? undefined : Number(process.env[variable]);
  const usual = given !== undefined && given >= 1 ? { ...USUAL[name], rate: given, capacity: given } : USUAL[name];
  return most < usual.capacity ? { ...usual, rate: most, capacity: most } : usual;
}

/** When there is enough of it (ms), or null when there is now. Takes nothing. */
export async function enoughAt(ctx: QueryCtx, name: Allowance, key: string, count = 1, most?: number): Promise<number | null> {
  const { ok, retryAt } = await checkRateLimit(ctx, { name, key, count, config: allowance(name, most) });
  return ok ? null : (retryAt ?? Date.now());
}

/** Takes so many; when there are enough again (ms), or null when they were there. */
export async function take(ctx: MutationCtx, name: Allowance, key: string, count = 1, most?: number): Promise<number | null> {
  const { ok, retryAt } = await rateLimit(ctx, { name, key, count, config: allowance(name, most) });
  return ok ? null : (retryAt ?? Date.now());
}

/** Gives so many back; never more than the whole. */
export async function giveBack(ctx: MutationCtx, name: Allowance, key: string, count = 1, most?: number): Promise<void> {
  const used = allowance(name, most).capacity - (await left(ctx, name, key, most));
  await rateLimit(ctx, { name, key, count: -Math.min(count, used), config: allowance(name, most) });
}

/** What is left of it now. */
export async function left(ctx: QueryCtx, name: Allowance, key: string, most?: number): Promise<number> {
  const { value } = await checkRateLimit(ctx, { name, key, count: 0, config: allowance(name, most) });
  return value ?? 0;
}

/** Two users become one, who has no more left than the one of them that had less. */
export async function shareLess(ctx: MutationCtx, kept: Id<"users">, other: Id<"users">): Promise<void> {
  for (const name of ["pieces", "seconds"] as const) {
    const [ours, theirs] = [await left(ctx, name, kept), await left(ctx, name, other)];
    if (theirs < ours) await rateLimit(ctx, { name, key: kept, count: ours - theirs, config: allowance(name) });
  }
}

/** Forgets what a user or an account has used. */
export async function forget(ctx: MutationCtx, key: string): Promise<void> {
  for (const name of Object.keys(USUAL)) await resetRateLimit(ctx, { name, key });
}
