/** Letting others hear a piece by a link, for as long as its owner wants. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { userMutation, userQuery } from "./callers";
import { KEY_MAX, text } from "./limits";
import { expectWelcome } from "./model/bans";
import { makerOf, person } from "./model/makers";
import { ownPage } from "./model/ownLists";
import { knownUser, userFor } from "./model/people";
import { favoriteOf, pieceView, viewOf } from "./model/pieces";
import { lineFor } from "./model/queue";
import { recall, remember } from "./model/replays";
import { ownPieceOf } from "./model/sight";
import { checkedToken, countWrong, expectNew, pausedUntil, shareBy } from "./model/tokens";
import { invalid } from "./refusals";

/** Makes a link to one of the caller's finished pieces. A piece has one: a second call gives the first one's token. */
export const create = userMutation({
  args: { generationId: v.string(), token: v.string(), idempotencyKey: v.string() },
  returns: v.object({ token: v.string() }),
  handler: async (ctx, { generationId, token, idempotencyKey }, caller) => {
    checkedToken(token);
    const key = `share:${text("The idempotency key", idempotencyKey, KEY_MAX)}`;
    const user = await userFor(ctx, caller);
    const before = await recall(ctx, user._id, key);
    // A late repeat must not open again what was revoked since.
    if (typeof before === "string") return { token: before };
    await expectWelcome(ctx, user);
    const piece = await ownPieceOf(ctx, user, generationId);
    if (piece.status !== "completed") throw invalid("Only a finished piece can be shared. Please wait until this one is done.");
    const known = await ctx.db
      .query("shares")
      .withIndex("by_generation", (q) => q.eq("generationId", piece._id))
      .first();
    if (known === null) {
      await expectNew(ctx, token);
      await ctx.db.insert("shares", { userId: user._id, generationId: piece._id, token, createdAt: Date.now() });
      await ctx.db.patch("musicGenerations", piece._id, { shared: true });
    }
    const good = known?.token ?? token;
    await remember(ctx, user._id, key, good);
    return { token: good };
  },
});

/**
 * Opens a link: from now on the caller may see its piece. Wrong and revoked are one and the same `unknown`, which is
 * counted, and after ten of them the account has to pause.
 */
export const open = userMutation({
  args: { token: v.string() },
  returns: v.union(
    v.object({ status: v.literal("ok"), piece: pieceView, by: v.union(person, v.null()) }),
    v.object({ status: v.literal("unknown") }),
    v.object({ status: v.literal("paused"), until: v.number() }),
  ),
  handler: async (ctx, { token }, caller) => {
    checkedToken(token);
    const until = await pausedUntil(ctx, caller.account);
    if (until !== null) return { status: "paused" as const, until };
    const share = await shareBy(ctx, token);
    const piece = share === null ? null : await ctx.db.get("musicGenerations", share.generationId);
    if (share === null || piece === null) {
      await countWrong(ctx, caller.account);
      return { status: "unknown" as const };
    }
    const user = await userFor(ctx, caller);
    await expectWelcome(ctx, user);
    const own = piece.userId === user._id;
    const guest = await ctx.db
      .query("shareGuests")
      .withIndex("by_user_and_generation", (q) => q.eq("userId", user._id).eq("generationId", piece._id))
      .first();
    if (guest === null && !own) {
      await ctx.db.insert("shareGuests", { userId: user._id, shareId: share._id, generationId: piece._id, createdAt: Date.now() });
    } else if (guest !== null && guest.shareId !== share._id) {
      await ctx.db.patch("shareGuests", guest._id, { shareId: share._id });
    }
    const favorite = own ? piece.isFavorite : (await favoriteOf(ctx, user._id, piece._id)) !== null;
    const view = viewOf(piece, { own, favorite, line: await lineFor(ctx, [piece]) });
    return { status: "ok" as const, piece: view, by: await makerOf(ctx, piece) };
  },
});

/** Ends the link to one of the caller's pieces. What others keep by heart they go on seeing. Repeating it changes nothing. */
export const revoke = userMutation({
  args: { generationId: v.string() },
  returns: v.null(),
  handler: async (ctx, { generationId }, caller) => {
    const piece = await ownPieceOf(ctx, await knownUser(ctx, caller), generationId);
    const share = await ctx.db
      .query("shares")
      .withIndex("by_generation", (q) => q.eq("generationId", piece._id))
      .first();
    if (share === null) return null;
    await ctx.db.delete("shares", share._id);
    await ctx.db.patch("musicGenerations", piece._id, { shared: undefined });
    // Its guests see nothing from here on; their rows may take a while to go.
    await ctx.scheduler.runAfter(0, internal.cleanup.sweepAfterShare, { shareId: share._id });
    return null;
  },
});

/** The caller's open links, newest first. */
export const mine = userQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(v.object({ token: v.string(), createdAt: v.number(), piece: pieceView })),
  handler: async (ctx, args, caller) => {
    const result = await ownPage(ctx, caller, args.paginationOpts, (userId) =>
      ctx.db.query("shares").withIndex("by_user", (q) => q.eq("userId", userId)),
    );
    const pieces = await Promise.all(result.page.map(({ generationId }) => ctx.db.get("musicGenerations", generationId)));
    const line = await lineFor(ctx, []);
    return {
      ...result,
      page: result.page.flatMap(({ token, createdAt }, index) => {
        const piece = pieces[index] ?? null;
        if (piece === null) return [];
        return [{ token, createdAt, piece: viewOf(piece, { own: true, favorite: piece.isFavorite, line }) }];
      }),
    };
  },
});
