/** Errors in the catalogue that people report, and what became of them. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v, type Infer } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { accountOf, curatorOrBotMutation, curatorOrBotQuery, userMutation, userQuery } from "./callers";
import { KEY_MAX, NAME_MAX, pageOf, SENTENCE_MAX, text } from "./limits";
import { correctable, correctionStatus } from "./model/correctable";
import { ownPage } from "./model/ownLists";
import { userFor } from "./model/people";
import { recall, remember } from "./model/replays";
import { invalid, notFound, refusal } from "./refusals";
import { tradition } from "./schema";

/** So many of a person's reports may wait for an answer. */
const OPEN_MAX = 10;

/** What everybody sees of a correction of their own. */
const fields = {
  id: v.id("corrections"),
  raga: v.string(),
  tradition,
  field: correctable,
  text: v.string(),
  status: correctionStatus,
  createdAt: v.number(),
  decidedAt: v.optional(v.number()),
  note: v.optional(v.string()),
  /** What was accepted, where it is not what was proposed. */
  value: v.optional(v.string()),
};
const own = v.object(fields);
const report = v.object({ ...fields, account: v.string(), decidedBy: v.optional(v.string()) });

function ownView(correction: Doc<"corrections">): Infer<typeof own> {
  const { _id, _creationTime: _, userId: __, account: ___, decidedBy: ____, ...shown } = correction;
  return { id: _id, ...shown };
}

function reportView(correction: Doc<"corrections">): Infer<typeof report> {
  const { account, decidedBy } = correction;
  return { ...ownView(correction), account, ...(decidedBy === undefined ? {} : { decidedBy }) };
}

/** Reports an error in a raga's entry; gives the report's id. A repeated key gives the first one's again. */
export const file = userMutation({
  args: { raga: v.string(), tradition, field: correctable, text: v.string(), idempotencyKey: v.string() },
  returns: v.string(),
  handler: async (ctx, args, caller) => {
    const name = text("The raga's name", args.raga, NAME_MAX);
    const proposed = text("The correction", args.text, SENTENCE_MAX);
    const key = `correction:${text("The idempotency key", args.idempotencyKey, KEY_MAX)}`;
    const user = await userFor(ctx, caller);
    const known = await recall(ctx, user._id, key);
    if (typeof known === "string") return known;
    const raga = await ctx.db
      .query("ragas")
      .withIndex("by_name_and_tradition", (q) => q.eq("name", name).eq("tradition", args.tradition))
      .first();
    if (raga === null) throw notFound();
    const open = await ctx.db
      .query("corrections")
      .withIndex("by_user_and_status", (q) => q.eq("userId", user._id).eq("status", "open"))
      .take(OPEN_MAX);
    if (open.length >= OPEN_MAX) {
      throw refusal("too_many", `${String(OPEN_MAX)} of your corrections wait for an answer. Please wait for one of them.`);
    }
    const id = await ctx.db.insert("corrections", {
      userId: user._id,
      account: caller.account,
      raga: raga.name,
      tradition: raga.tradition,
      field: args.field,
      text: proposed,
      status: "open",
      createdAt: Date.now(),
    });
    await remember(ctx, user._id, key, id);
    return id;
  },
});

/** What the caller has reported, newest first. */
export const mine = userQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(own),
  handler: async (ctx, args, caller) => {
    const result = await ownPage(ctx, caller, args.paginationOpts, (userId) =>
      ctx.db.query("corrections").withIndex("by_user", (q) => q.eq("userId", userId)),
    );
    return { ...result, page: result.page.map(ownView) };
  },
});

/** What was reported and is in this state, open if none is named; the oldest first. */
export const list = curatorOrBotQuery({
  args: { status: v.optional(correctionStatus), paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(report),
  handler: async (ctx, args) => {
    const result = await pageOf(args.paginationOpts, (options) =>
      ctx.db
        .query("corrections")
        .withIndex("by_status", (q) => q.eq("status", args.status ?? "open"))
        .paginate(options),
    );
    return { ...result, page: result.page.map(reportView) };
  },
});

/**
 * Accepts or declines an open report. `value` is what the entry is to say, where that is not the proposal word for
 * word; `note` is for whoever reported it. The same decision again changes nothing, another one is refused.
 */
export const decide = curatorOrBotMutation({
  args: { id: v.string(), accept: v.boolean(), value: v.optional(v.string()), note: v.optional(v.string()) },
  returns: report,
  handler: async (ctx, args, caller) => {
    if (args.note !== undefined) text("The note", args.note, SENTENCE_MAX);
    if (args.value !== undefined) {
      text("The value", args.value, SENTENCE_MAX);
      if (!args.accept) throw invalid("Only what is accepted has a value.");
    }
    const id = ctx.db.normalizeId("corrections", args.id);
    const correction = id === null ? null : await ctx.db.get("corrections", id);
    if (correction === null) throw notFound();
    const status = args.accept ? "accepted" : "declined";
    if (correction.status === status) return reportView(correction);
    if (correction.status !== "open") throw refusal("conflict", `This correction was ${correction.status} already.`);
    const decided = {
      ...correction,
      status,
      decidedAt: Date.now(),
      decidedBy: accountOf(caller),
      ...(args.value === undefined ? {} : { value: args.value }),
      ...(args.note === undefined ? {} : { note: args.note }),
    } as const;
    await ctx.db.replace("corrections", correction._id, decided);
    return reportView(decided);
  },
});

/** What was accepted, in the order of the decisions: the seeding takes it in until the catalogue's own files have it. */
export const accepted = curatorOrBotQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(report),
  handler: async (ctx, args) => {
    const result = await pageOf(args.paginationOpts, (options) =>
      ctx.db
        .query("corrections")
        .withIndex("by_decision", (q) => q.eq("status", "accepted"))
        .paginate(options),
    );
    return { ...result, page: result.page.map(reportView) };
  },
});
