/**
 * The queue: a job is waiting or leased by a worker. What a piece's watcher must see stands on the piece, what only
 * workers need (the lease) on the job, so that a heartbeat wakes nobody.
 */
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { ATTEMPTS_MAX } from "../limits";
import { refund } from "./quotas";

/** Positions are counted up to here; whoever waits further back is told this number. */
const POSITIONS_MAX = 100;

export function jobOf(ctx: QueryCtx, generationId: Id<"musicGenerations">): Promise<Doc<"jobs"> | null> {
  return ctx.db
    .query("jobs")
    .withIndex("by_generation", (q) => q.eq("generationId", generationId))
    .unique();
}

/** The jobs that wait, first come first; reads no running one. */
export function waitingJobs(ctx: QueryCtx, count: number): Promise<Doc<"jobs">[]> {
  return ctx.db
    .query("jobs")
    .withIndex("by_state_and_creation", (q) => q.eq("state", "waiting"))
    .take(count);
}

/** Whether no worker has taken the piece up yet, told without reading its job. */
export function isWaiting(generation: Doc<"musicGenerations">): boolean {
  return generation.status === "processing" && generation.progress === undefined;
}

export class Line {
  readonly first: Id<"jobs"> | null;
  readonly #positions: Map<Id<"musicGenerations">, number>;

  constructor(jobs: Doc<"jobs">[]) {
    this.first = jobs[0]?._id ?? null;
    this.#positions = new Map(jobs.map((job, position) => [job.generationId, position]));
  }

  /** How many wait before it; undefined for a piece that does not wait. */
  position(generation: Doc<"musicGenerations">): number | undefined {
    if (!isWaiting(generation)) return undefined;
    const position = this.#positions.get(generation._id);
    if (position !== undefined) return position;
    return this.#positions.size === POSITIONS_MAX ? POSITIONS_MAX : undefined;
  }
}

/** The line as far as these pieces need it: only its head when none of them waits. */
export async function lineFor(ctx: QueryCtx, generations: Doc<"musicGenerations">[]): Promise<Line> {
  return new Line(await waitingJobs(ctx, generations.some(isWaiting) ? POSITIONS_MAX : 1));
}

/** Puts a piece (back) into the line. A job that is there already stays as it is; a finished piece is left alone. */
export async function enqueue(ctx: MutationCtx, generation: Doc<"musicGenerations">): Promise<void> {
  if (generation.status === "completed") return;
  if ((await jobOf(ctx, generation._id)) !== null) return;
  await ctx.db.patch("musicGenerations", generation._id, {
    status: "processing",
    ...NOT_BEGUN,
    attempt: undefined,
    error: undefined,
    errorCode: undefined,
    completedAt: undefined,
  });
  await ctx.db.insert("jobs", {
    generationId: generation._id,
    state: "waiting",
    attempt: 0,
    createdAt: Date.now(),
  });
}

const NOT_BEGUN = { progress: undefined, stage: undefined, secondsLeft: undefined };

/** Ends a piece without a result and takes it out of the line. */
export async function fail(
  ctx: MutationCtx,
  generation: Doc<"musicGenerations">,
  errorCode: string,
  error: string,
): Promise<void> {
  const job = await jobOf(ctx, generation._id);
  if (job !== null) await ctx.db.delete("jobs", job._id);
  await refund(ctx, generation);
  await ctx.db.patch("musicGenerations", generation._id, {
    ...NOT_BEGUN,
    status: "failed",
    errorCode,
    error,
    completedAt: Date.now(),
  });
}

/** Takes a job from its worker: back to its place in the line, or failed after the last attempt. */
export async function takeBack(ctx: MutationCtx, job: Doc<"jobs">): Promise<"waiting" | "ended"> {
  const generation = await ctx.db.get("musicGenerations", job.generationId);
  if (generation?.status !== "processing") {
    await ctx.db.delete("jobs", job._id);
    return "ended";
  }
  if (job.attempt >= ATTEMPTS_MAX) {
    await fail(
      ctx,
      generation,
      "failed",
      "I could not finish this piece, although I tried several times. Please ask for it again.",
    );
    return "ended";
  }
  await ctx.db.patch("jobs", job._id, {
    state: "waiting",
    worker: undefined,
    leaseUntil: undefined,
    attempt: job.attempt,
  });
  await ctx.db.patch("musicGenerations", generation._id, NOT_BEGUN);
  return "waiting";
}
