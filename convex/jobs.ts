/** The queue, as workers use it: claim under a lease, report, complete or fail. */
import { v } from "convex/values";
import type { Doc, Id } from "./_generated/dataModel";
import { internalMutation, type MutationCtx, type QueryCtx } from "./_generated/server";
import { expectOwnName, workerMutation } from "./callers";
import { ATTEMPTS_MAX, LEASE_S, NAME_MAX, SENTENCE_MAX, text, whole, within, WORD_MAX } from "./limits";
import { deleteUnusedFile, pieceWithFile } from "./model/pieces";
import { fail as failPiece, jobOf, takeBack, waitingJobs } from "./model/queue";
import { invalid } from "./refusals";
import { metadata, storedRequest } from "./schema";

/** A worker holds no more leases than these. */
const HELD_MAX = 64;

/** Expired leases taken back in one transaction. */
const EXPIRED_BATCH = 50;

const DAY_S = 86_400;
const MIB = 2 ** 20;

function leaseEnd(leaseS: number): number {
  return Date.now() + within("The lease in seconds", leaseS, ...LEASE_S) * 1000;
}

function heldBy(ctx: QueryCtx, worker: string): Promise<Doc<"jobs">[]> {
  return ctx.db
    .query("jobs")
    .withIndex("by_worker", (q) => q.eq("worker", worker))
    .take(HELD_MAX);
}

const task = v.object({
  generationId: v.id("musicGenerations"),
  request: storedRequest,
  attempt: v.number(),
  createdAt: v.number(),
});

/**
 * The piece that waits longest, leased to the worker; null when none waits. A worker that says what it `holds` may
 * repeat a claim whose answer was lost: a lease of its own that it does not know of is handed out again.
 */
export const claim = workerMutation({
  args: {
    worker: v.string(),
    leaseS: v.number(),
    holds: v.optional(v.array(v.id("musicGenerations"))),
  },
  returns: v.union(task, v.null()),
  handler: async (ctx, { worker, leaseS, holds }, caller) => {
    expectOwnName(caller, worker);
    const leaseUntil = leaseEnd(leaseS);
    if (holds !== undefined) {
      const lost = (await heldBy(ctx, worker)).find((job) => !holds.includes(job.generationId));
      const piece = lost === undefined ? null : await ctx.db.get("musicGenerations", lost.generationId);
      if (lost !== undefined && piece !== null) {
        await ctx.db.patch("jobs", lost._id, { leaseUntil });
        return taskOf(piece, lost.attempt);
      }
    }
    for (;;) {
      const [job] = await waitingJobs(ctx, 1);
      if (job === undefined) return null;
      const piece = await ctx.db.get("musicGenerations", job.generationId);
      if (piece?.status === "processing") {
        const attempt = job.attempt + 1;
        await ctx.db.patch("jobs", job._id, { state: "running", worker, leaseUntil, attempt });
        await ctx.db.patch("musicGenerations", piece._id, { progress: 0, attempt });
        return taskOf(piece, attempt);
      }
      // Somebody took the piece away by hand, in the dashboard: its job must not hold up all that wait behind it.
      await ctx.db.delete("jobs", job._id);
    }
  },
});

function taskOf({ _id: generationId, request, createdAt }: Doc<"musicGenerations">, attempt: number) {
  return { generationId, request, attempt, createdAt };
}

const lease = {
  generationId: v.id("musicGenerations"),
  worker: v.string(),
  attempt: v.number(),
};

interface Lease {
  generationId: Id<"musicGenerations">;
  worker: string;
  attempt: number;
}

/** The job and its piece while the worker still has the lease for this attempt. */
async function leased(ctx: QueryCtx, { generationId, worker, attempt }: Lease) {
  const job = await jobOf(ctx, generationId);
  if (job?.state !== "running" || job.worker !== worker || job.attempt !== attempt) return null;
  const piece = await ctx.db.get("musicGenerations", generationId);
  return piece?.status === "processing" ? { job, piece } : null;
}

/**
 * A report of progress, which renews the lease too; a report without progress is a heartbeat and touches nothing but
 * the lease. `proceed` is false when the piece was cancelled or removed, or the lease was lost: the worker stops.
 */
export const progress = workerMutation({
  args: {
    ...lease,
    stage: v.string(),
    percent: v.number(),
    secondsLeft: v.optional(v.number()),
    leaseS: v.number(),
  },
  returns: v.object({ proceed: v.boolean() }),
  handler: async (ctx, args, caller) => {
    expectOwnName(caller, args.worker);
    const leaseUntil = leaseEnd(args.leaseS);
    const stage = text("The stage", args.stage, WORD_MAX);
    const percent = within("The per cent", args.percent, 0, 100);
    if (args.secondsLeft !== undefined) within("The seconds left", args.secondsLeft, 0, DAY_S);
    const held = await leased(ctx, args);
    if (held === null) return { proceed: false };
    await ctx.db.patch("jobs", held.job._id, { leaseUntil });
    const known = held.piece.progress ?? 0;
    if (percent > known || stage !== held.piece.stage) {
      await ctx.db.patch("musicGenerations", held.piece._id, {
        stage,
        progress: Math.max(known, percent),
        secondsLeft: args.secondsLeft,
      });
    }
    return { proceed: true };
  },
});

async function expectNewAudio(ctx: MutationCtx, file: Id<"_storage">): Promise<void> {
  const stored = await ctx.db.system.get("_storage", file);
  if (stored === null || stored.size === 0) throw invalid("The audio file was not uploaded.");
  if ((await pieceWithFile(ctx, file)) !== null) throw invalid("The audio file belongs to another piece.");
}

/**
 * Hands in the finished piece. Accepted once, and again when the same worker repeats it after a lost answer. What is
 * not accepted (lease lost, piece cancelled or removed) is deleted from storage.
 */
export const complete = workerMutation({
  args: { ...lease, audioFileId: v.id("_storage"), metadata },
  returns: v.object({ accepted: v.boolean() }),
  handler: async (ctx, args, caller) => {
    expectOwnName(caller, args.worker);
    const { title, performer, durationS, tonicHz, tempoBpm, tala, sizeBytes, score } = args.metadata;
    text("The title", title, NAME_MAX * 3);
    text("The performer", performer, NAME_MAX * 3);
    if (tala !== "") text("The tala", tala, WORD_MAX);
    within("The length in seconds", durationS, 0, DAY_S);
    within("The tonic in hertz", tonicHz, 1, 20_000);
    within("The tempo in beats a minute", tempoBpm, 0, 10_000);
    whole("The size in bytes", sizeBytes, 1, 100 * MIB);
    if (score !== undefined) text("The score's fingerprint", score, WORD_MAX);
    const held = await leased(ctx, args);
    if (held === null) {
      const piece = await ctx.db.get("musicGenerations", args.generationId);
      const repeated = piece?.status === "completed" && piece.audioFileId === args.audioFileId;
      if (!repeated) await deleteUnusedFile(ctx, args.audioFileId);
      return { accepted: repeated };
    }
    await expectNewAudio(ctx, args.audioFileId);
    await ctx.db.delete("jobs", held.job._id);
    await ctx.db.patch("musicGenerations", held.piece._id, {
      status: "completed",
      audioFileId: args.audioFileId,
      metadata: args.metadata,
      progress: 100,
      secondsLeft: undefined,
      completedAt: Date.now(),
    });
    return { accepted: true };
  },
});

/**
 * Gives a piece up, with a sentence for the person who asked. With `retry` it goes back into the queue while attempts
 * are left. `accepted` is false when the lease was lost; then nothing changes.
 */
export const fail = workerMutation({
  args: { ...lease, code: v.string(), message: v.string(), retry: v.boolean() },
  returns: v.object({ accepted: v.boolean(), requeued: v.boolean() }),
  handler: async (ctx, args, caller) => {
    expectOwnName(caller, args.worker);
    const code = text("The code", args.code, WORD_MAX);
    const message = text("The message", args.message, SENTENCE_MAX);
    const held = await leased(ctx, args);
    if (held === null) return { accepted: false, requeued: false };
    if (args.retry && held.job.attempt < ATTEMPTS_MAX) {
      await takeBack(ctx, held.job);
      return { accepted: true, requeued: true };
    }
    await failPiece(ctx, held.piece, code, message);
    return { accepted: true, requeued: false };
  },
});

/**
 * Gives back all that the worker holds; returns how many went back into the queue. Called after a crash it counts as an
 * attempt each; a worker that was asked to stop is `polite`, and its pieces lose none.
 */
export const release = workerMutation({
  args: { worker: v.string(), polite: v.optional(v.boolean()) },
  returns: v.number(),
  handler: async (ctx, { worker, polite }, caller) => {
    expectOwnName(caller, worker);
    let released = 0;
    for (const job of await heldBy(ctx, worker)) {
      const attempt = polite === true ? Math.max(0, job.attempt - 1) : job.attempt;
      if ((await takeBack(ctx, { ...job, attempt })) === "waiting") released += 1;
    }
    return released;
  },
});

/** Takes back what workers hold whose lease ran out. Run by a cron; what is left over waits for its next turn. */
export const requeueExpired = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const expired = await ctx.db
      .query("jobs")
      .withIndex("by_lease", (q) => q.eq("state", "running").lt("leaseUntil", Date.now()))
      .take(EXPIRED_BATCH);
    for (const job of expired) await takeBack(ctx, job);
    return null;
  },
});
