/**
 * Linking: a secret that one account shows and another types, a word of both that they mean it, and two users are one.
 *
 * A wrong secret is answered, not refused: a refusal would take back the count of it with everything else.
 */
import { v, type Infer } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import type { MutationCtx, QueryCtx } from "./_generated/server";
import { userMutation, userQuery, type UserCaller } from "./callers";
import { enoughAt, take } from "./model/allowances";
import type { side } from "./model/accountTables";
import { merge, openMerge, part } from "./model/merging";
import { named, tell } from "./model/notices";
import { userFor } from "./model/people";
import { invalid, notFound, refusal } from "./refusals";

const OPEN_MS = 5 * 60_000;
const CONFIRM_MS = 10 * 60_000;
const PENDING_MAX = 20;

type Side = Infer<typeof side>;
type Link = Doc<"links">;

const other = v.object({ platform: v.string(), name: v.string() });

function hashed(hash: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) throw invalid("A link needs the SHA-256 of its secret as 64 hexadecimal digits.");
  return hash;
}

function sideOf(caller: UserCaller, user: Doc<"users">): Side {
  return {
    userId: user._id,
    account: caller.account,
    platform: caller.platform,
    ...(caller.name === undefined ? {} : { name: caller.name }),
    ...(caller.bot === undefined ? {} : { bot: caller.bot }),
    confirmed: false,
  };
}

function byHash(ctx: QueryCtx, hash: string): Promise<Link | null> {
  return ctx.db
    .query("links")
    .withIndex("by_hash", (q) => q.eq("hash", hash))
    .first();
}

/** Ends what an account has begun and not finished; `kind` narrows it. */
export async function endLinksOf(ctx: MutationCtx, account: string, kind?: Link["kind"]): Promise<void> {
  for (const state of ["open", "redeemed"] as const) {
    const begun = await ctx.db
      .query("links")
      .withIndex("by_issuer", (q) => q.eq("issuer.account", account).eq("state", state))
      .take(PENDING_MAX);
    const joined = await ctx.db
      .query("links")
      .withIndex("by_redeemer", (q) => q.eq("redeemer.account", account).eq("state", state))
      .take(PENDING_MAX);
    for (const link of kind === undefined ? [...begun, ...joined] : begun) {
      if (kind === undefined || link.kind === kind) await ctx.db.patch("links", link._id, { state: "ended" });
    }
  }
}

/** Makes a secret valid for five minutes. The same secret again by the same account gives the same answer. */
export const begin = userMutation({
  args: { hash: v.string(), kind: v.union(v.literal("code"), v.literal("link")) },
  returns: v.object({ expiresAt: v.number() }),
  handler: async (ctx, { hash, kind }, caller) => {
    const known = await byHash(ctx, hashed(hash));
    if (known !== null) {
      if (known.issuer.account !== caller.account) throw invalid("Please make a new secret.");
      return { expiresAt: known.expiresAt };
    }
    const user = await userFor(ctx, caller);
    if ((await take(ctx, "linkCodes", caller.account)) !== null) {
      throw refusal("too_many", "You have asked for many link codes within an hour. Please try again a little later.");
    }
    await endLinksOf(ctx, caller.account, kind);
    const createdAt = Date.now();
    const expiresAt = createdAt + OPEN_MS;
    await ctx.db.insert("links", { hash, kind, state: "open", issuer: sideOf(caller, user), createdAt, expiresAt });
    return { expiresAt };
  },
});

/**
 * Names a secret that another account shows. Whatever is not to be had (wrong, expired, used, taken by somebody else) is
 * the same `unknown`, and after five of them the account has to pause.
 */
export const redeem = userMutation({
  args: { hash: v.string() },
  returns: v.union(
    v.object({ status: v.literal("ok"), linkId: v.id("links"), other, expiresAt: v.number() }),
    v.object({ status: v.literal("own") }),
    v.object({ status: v.literal("unknown") }),
    v.object({ status: v.literal("paused"), until: v.number() }),
  ),
  handler: async (ctx, { hash }, caller) => {
    const until = await enoughAt(ctx, "linkTries", caller.account);
    if (until !== null) return { status: "paused" as const, until };
    const now = Date.now();
    const link = await byHash(ctx, hashed(hash));
    const again = link?.state === "redeemed" && link.redeemer?.account === caller.account;
    if (link === null || link.expiresAt <= now || !(link.state === "open" || again)) {
      await take(ctx, "linkTries", caller.account);
      return { status: "unknown" as const };
    }
    const user = await userFor(ctx, caller);
    if (link.issuer.account === caller.account || link.issuer.userId === user._id) return { status: "own" as const };
    if (again) return { status: "ok" as const, linkId: link._id, other: named(link.issuer), expiresAt: link.expiresAt };
    const redeemer = sideOf(caller, user);
    const expiresAt = now + CONFIRM_MS;
    await ctx.db.patch("links", link._id, { state: "redeemed", redeemer, expiresAt });
    await tell(ctx, link.issuer, "link_asked", { linkId: link._id, ...named(redeemer) });
    return { status: "ok" as const, linkId: link._id, other: named(link.issuer), expiresAt };
  },
});

/** The link and the caller's side of it, if the caller is one of its two accounts. */
async function sided(
  ctx: QueryCtx,
  caller: UserCaller,
  given: string,
): Promise<{ link: Link; mine: "issuer" | "redeemer"; theirs: Side }> {
  const id = ctx.db.normalizeId("links", given);
  const link = id === null ? null : await ctx.db.get("links", id);
  if (link?.redeemer === undefined) throw notFound();
  if (link.issuer.account === caller.account) return { link, mine: "issuer", theirs: link.redeemer };
  if (link.redeemer.account === caller.account) return { link, mine: "redeemer", theirs: link.issuer };
  throw notFound();
}

/** The caller means it. Once both sides do, their users become one; a repeat gives the same answer. */
export const confirm = userMutation({
  args: { linkId: v.string() },
  returns: v.union(
    v.object({ status: v.literal("waiting"), other }),
    v.object({ status: v.literal("linked"), other, mergeId: v.id("merges"), undoUntil: v.number() }),
    v.object({ status: v.literal("ended") }),
  ),
  handler: async (ctx, { linkId }, caller) => {
    const { link, mine, theirs } = await sided(ctx, caller, linkId);
    if (link.mergeId !== undefined) {
      const done = await ctx.db.get("merges", link.mergeId);
      if (done === null) return { status: "ended" as const };
      return { status: "linked" as const, other: named(theirs), mergeId: done._id, undoUntil: done.until };
    }
    if (link.state !== "redeemed" || link.expiresAt <= Date.now()) return { status: "ended" as const };
    const user = await userFor(ctx, caller);
    const side = { ...sideOf(caller, user), confirmed: true };
    await ctx.db.patch("links", link._id, { [mine]: side });
    if (!theirs.confirmed) return { status: "waiting" as const, other: named(theirs) };
    const partner = await ctx.db.get("users", theirs.userId);
    // The other account may have gone elsewhere since it said yes.
    if (partner === null || partner.deletingAt !== undefined || partner.mergedInto !== undefined || partner._id === user._id) {
      await ctx.db.patch("links", link._id, { state: "ended" });
      return { status: "ended" as const };
    }
    const merged = await merge(ctx, user, partner);
    await ctx.db.patch("links", link._id, { state: "linked", mergeId: merged._id });
    await tell(ctx, theirs, "linked", { mergeId: merged._id, until: merged.until, ...named(side) });
    return { status: "linked" as const, other: named(theirs), mergeId: merged._id, undoUntil: merged.until };
  },
});

/** One side does not want it. Repeating it, or declining what has ended, changes nothing. */
export const decline = userMutation({
  args: { linkId: v.string() },
  returns: v.null(),
  handler: async (ctx, { linkId }, caller) => {
    const { link, theirs } = await sided(ctx, caller, linkId);
    if (link.state !== "redeemed") return null;
    await ctx.db.patch("links", link._id, { state: "ended" });
    await tell(ctx, theirs, "link_declined", named(sideNamed(caller)));
    return null;
  },
});

function sideNamed(caller: UserCaller): { platform: string; name?: string | undefined } {
  return { platform: caller.platform, name: caller.name };
}

/** What waits for the caller's word. */
export const pending = userQuery({
  args: {},
  returns: v.array(v.object({ linkId: v.id("links"), other, expiresAt: v.number(), confirmed: v.boolean() })),
  handler: async (ctx, _args, caller) => {
    const asIssuer = await ctx.db
      .query("links")
      .withIndex("by_issuer", (q) => q.eq("issuer.account", caller.account).eq("state", "redeemed"))
      .take(PENDING_MAX);
    const asRedeemer = await ctx.db
      .query("links")
      .withIndex("by_redeemer", (q) => q.eq("redeemer.account", caller.account).eq("state", "redeemed"))
      .take(PENDING_MAX);
    const now = Date.now();
    return [...asIssuer, ...asRedeemer].flatMap((link) => {
      if (link.expiresAt <= now || link.redeemer === undefined) return [];
      const [mine, theirs] =
        link.issuer.account === caller.account ? [link.issuer, link.redeemer] : [link.redeemer, link.issuer];
      return [{ linkId: link._id, other: named(theirs), expiresAt: link.expiresAt, confirmed: mine.confirmed }];
    });
  },
});

/** Takes a link back within a day of it; any account of the user may. Repeating it changes nothing. */
export const undo = userMutation({
  args: { mergeId: v.string() },
  returns: v.null(),
  handler: async (ctx, { mergeId }, caller) => {
    const user = await userFor(ctx, caller);
    const id = ctx.db.normalizeId("merges", mergeId);
    const merged = id === null ? null : await ctx.db.get("merges", id);
    if (id !== null && merged === null) return null; // it has been undone, or is final
    if (merged?.keptId !== user._id) throw notFound();
    if (merged.until <= Date.now()) {
      throw invalid("A link can be taken back for 24 hours. /unlink takes an account out of it at any time.");
    }
    // Of several links the last one comes first, or it would take what the earlier one brought along.
    if ((await openMerge(ctx, user))?._id !== merged._id) {
      throw invalid("You have linked another account since. Please take that back first.");
    }
    const accounts = await ctx.db
      .query("accounts")
      .withIndex("by_user", (q) => q.eq("userId", user._id))
      .take(PENDING_MAX);
    await part(ctx, merged);
    for (const account of accounts) {
      if (account.account !== caller.account) await tell(ctx, account, "link_undone", named(sideNamed(caller)));
    }
    return null;
  },
});
