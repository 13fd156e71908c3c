/** Playlists of several people: an owner, editors who add pieces, listeners. */
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { userMutation, userQuery } from "./callers";
import { KEY_MAX, NAME_MAX, pageOf, place, text } from "./limits";
import { expectWelcome } from "./model/bans";
import { knownUser, userFor } from "./model/people";
import {
  belonging,
  endInvites,
  expectRoom,
  expectSeat,
  expectSpace,
  memberNamed,
  memberOf,
  ownerNamed,
  removePlaylist,
  stronger,
  takeOut,
} from "./model/playlists";
import { entryShown, entryView, membersShown, memberView, owner, playlistsOf, summary } from "./model/playlistViews";
import { recall, remember } from "./model/replays";
import { invitedRole, playlistRole } from "./model/sharingTables";
import { seen } from "./model/sight";
import { checkedToken, countWrong, expectNew, inviteBy, pausedUntil } from "./model/tokens";
import { invalid, notFound, refusal } from "./refusals";

const INVITED_MS = 7 * 86_400_000;

/** Makes a playlist of the caller's own; a repeated key gives the first one's id again. */
export const create = userMutation({
  args: { name: v.string(), idempotencyKey: v.string() },
  returns: v.object({ playlistId: v.id("playlists") }),
  handler: async (ctx, { name, idempotencyKey }, caller) => {
    const called = text("The name", name.trim(), NAME_MAX);
    const key = `playlist:${text("The idempotency key", idempotencyKey, KEY_MAX)}`;
    const user = await userFor(ctx, caller);
    const before = await recall(ctx, user._id, key);
    const made = typeof before === "string" ? ctx.db.normalizeId("playlists", before) : null;
    if (made !== null) return { playlistId: made };
    await expectWelcome(ctx, user);
    await expectRoom(ctx, user._id, true);
    const createdAt = Date.now();
    const playlistId = await ctx.db.insert("playlists", { name: called, createdAt });
    await ctx.db.insert("playlistMembers", { playlistId, userId: user._id, role: "owner", createdAt });
    await remember(ctx, user._id, key, playlistId);
    return { playlistId };
  },
});

export const rename = userMutation({
  args: { playlistId: v.string(), name: v.string() },
  returns: v.null(),
  handler: async (ctx, { playlistId, name }, caller) => {
    const called = text("The name", name.trim(), NAME_MAX);
    const { playlist } = await belonging(ctx, await knownUser(ctx, caller), playlistId, "owner");
    await ctx.db.patch("playlists", playlist._id, { name: called });
    return null;
  },
});

/** Takes a playlist of the caller's own away; its pieces stay with whose they are. Repeating it changes nothing. */
export const remove = userMutation({
  args: { playlistId: v.string() },
  returns: v.null(),
  handler: async (ctx, { playlistId }, caller) => {
    const user = await knownUser(ctx, caller);
    const id = ctx.db.normalizeId("playlists", playlistId);
    if (user === null || id === null) throw notFound();
    const key = `unlist:${id}`;
    if ((await ctx.db.get("playlists", id)) === null && (await recall(ctx, user._id, key)) !== undefined) return null;
    const { playlist } = await belonging(ctx, user, playlistId, "owner");
    await removePlaylist(ctx, playlist._id);
    await remember(ctx, user._id, key, null);
    return null;
  },
});

/** The playlists that the caller belongs to, their own first. */
export const mine = userQuery({
  args: {},
  returns: v.array(summary),
  handler: async (ctx, _args, caller) => {
    const user = await knownUser(ctx, caller);
    if (user === null) return [];
    return playlistsOf(ctx, user._id);
  },
});

/** A playlist that the caller belongs to, with a page of its pieces in the order in which they were added. */
export const show = userQuery({
  args: { playlistId: v.string(), paginationOpts: paginationOptsValidator },
  returns: summary.extend({ entries: paginationResultValidator(entryView) }),
  handler: async (ctx, args, caller) => {
    const { playlist, member } = await belonging(ctx, await knownUser(ctx, caller), args.playlistId);
    const entries = await pageOf(args.paginationOpts, (options) =>
      ctx.db
        .query("playlistEntries")
        .withIndex("by_playlist", (q) => q.eq("playlistId", playlist._id))
        .paginate(options),
    );
    const shown = await Promise.all(entries.page.map((entry) => entryShown(ctx, member, entry)));
    return {
      playlistId: playlist._id,
      name: playlist.name,
      role: member.role,
      owner: await ownerNamed(ctx, playlist._id),
      createdAt: playlist.createdAt,
      entries: { ...entries, page: shown.flat() },
    };
  },
});

/**
 * Adds a finished piece: one of the caller's own, which its members may see from then on, or one that its owner shares by
 * a link, for as long as they do. Adding it again changes nothing.
 */
export const add = userMutation({
  args: { playlistId: v.string(), generationId: v.string(), place: v.optional(place) },
  returns: v.object({ entryId: v.id("playlistEntries") }),
  handler: async (ctx, { playlistId, generationId, place }, caller) => {
    const user = await userFor(ctx, caller);
    const { playlist } = await belonging(ctx, user, playlistId, "editor");
    await expectWelcome(ctx, user);
    const { piece, own } = await seen(ctx, caller, user, generationId, place);
    if (piece.status !== "completed") throw invalid("Only a finished piece can be added. Please wait until this one is done.");
    if (!own && piece.shared !== true) {
      throw invalid("This piece is somebody else's, and they do not share it by a link. Please ask them to, or to add it themselves.");
    }
    const known = await ctx.db
      .query("playlistEntries")
      .withIndex("by_playlist_and_generation", (q) => q.eq("playlistId", playlist._id).eq("generationId", piece._id))
      .first();
    if (known !== null) {
      // Whoever's piece it is opens it to the members for good, also where another had added it before.
      if (own && known.userId !== user._id) await ctx.db.patch("playlistEntries", known._id, { userId: user._id });
      return { entryId: known._id };
    }
    await expectSpace(ctx, playlist._id);
    const entry = { playlistId: playlist._id, generationId: piece._id, userId: user._id, createdAt: Date.now() };
    return { entryId: await ctx.db.insert("playlistEntries", entry) };
  },
});

/** Takes an entry out: the owner any, an editor those that they added. Repeating it changes nothing. */
export const drop = userMutation({
  args: { playlistId: v.string(), entryId: v.string() },
  returns: v.null(),
  handler: async (ctx, { playlistId, entryId }, caller) => {
    const { playlist, member } = await belonging(ctx, await knownUser(ctx, caller), playlistId);
    const id = ctx.db.normalizeId("playlistEntries", entryId);
    if (id === null) throw notFound();
    const entry = await ctx.db.get("playlistEntries", id);
    if (entry === null) return null;
    if (entry.playlistId !== playlist._id) throw notFound();
    // Who has become a listener since may still take back what is theirs.
    if (member.role !== "owner" && entry.userId !== member.userId) {
      throw refusal("forbidden", "Only who added this piece, or the owner of the playlist, can take it out.");
    }
    await ctx.db.delete("playlistEntries", id);
    return null;
  },
});

/** Makes a link by which others join in this role within a week. There is one for each role: a second call gives the first one's token. */
export const invite = userMutation({
  args: { playlistId: v.string(), role: invitedRole, token: v.string() },
  returns: v.object({ token: v.string(), expiresAt: v.number() }),
  handler: async (ctx, { playlistId, role, token }, caller) => {
    checkedToken(token);
    const user = await userFor(ctx, caller);
    const { playlist } = await belonging(ctx, user, playlistId, "owner");
    await expectWelcome(ctx, user);
    const known = await ctx.db
      .query("playlistInvites")
      .withIndex("by_playlist", (q) => q.eq("playlistId", playlist._id).eq("role", role))
      .first();
    if (known !== null && known.expiresAt > Date.now()) return { token: known.token, expiresAt: known.expiresAt };
    if (known !== null) await ctx.db.delete("playlistInvites", known._id);
    await expectNew(ctx, token);
    const expiresAt = Date.now() + INVITED_MS;
    await ctx.db.insert("playlistInvites", { playlistId: playlist._id, role, token, expiresAt });
    return { token, expiresAt };
  },
});

/** Ends the links by which others could join. Who has joined stays. Repeating it changes nothing. */
export const uninvite = userMutation({
  args: { playlistId: v.string() },
  returns: v.null(),
  handler: async (ctx, { playlistId }, caller) => {
    const { playlist } = await belonging(ctx, await knownUser(ctx, caller), playlistId, "owner");
    await endInvites(ctx, playlist._id);
    return null;
  },
});

/** Joins by a link, or takes the stronger role that it gives. Wrong and expired are the same `unknown`, which is counted. */
export const join = userMutation({
  args: { token: v.string() },
  returns: v.union(
    v.object({ status: v.literal("ok"), playlistId: v.id("playlists"), name: v.string(), role: playlistRole, owner }),
    v.object({ status: v.literal("unknown") }),
    v.object({ status: v.literal("paused"), until: v.number() }),
  ),
  handler: async (ctx, { token }, caller) => {
    checkedToken(token);
    const until = await pausedUntil(ctx, caller.account);
    if (until !== null) return { status: "paused" as const, until };
    const found = await inviteBy(ctx, token);
    const playlist = found === null || found.expiresAt <= Date.now() ? null : await ctx.db.get("playlists", found.playlistId);
    if (found === null || playlist === null) {
      await countWrong(ctx, caller.account);
      return { status: "unknown" as const };
    }
    const user = await userFor(ctx, caller);
    await expectWelcome(ctx, user);
    const joined = { status: "ok" as const, playlistId: playlist._id, name: playlist.name, owner: await ownerNamed(ctx, playlist._id) };
    const member = await memberOf(ctx, user._id, playlist._id);
    if (member !== null) {
      if (!stronger(found.role, member.role)) return { ...joined, role: member.role };
      await ctx.db.patch("playlistMembers", member._id, { role: found.role });
      return { ...joined, role: found.role };
    }
    await expectRoom(ctx, user._id, false);
    await expectSeat(ctx, playlist._id);
    await ctx.db.insert("playlistMembers", { playlistId: playlist._id, userId: user._id, role: found.role, createdAt: Date.now() });
    return { ...joined, role: found.role };
  },
});

/** The caller goes, with what they added. Who owns a playlist removes it instead. Repeating it changes nothing. */
export const leave = userMutation({
  args: { playlistId: v.string() },
  returns: v.null(),
  handler: async (ctx, { playlistId }, caller) => {
    const user = await knownUser(ctx, caller);
    const id = ctx.db.normalizeId("playlists", playlistId);
    const member = user === null || id === null ? null : await memberOf(ctx, user._id, id);
    if (member === null) return null;
    if (member.role === "owner") throw invalid("This playlist is yours. You can remove it, and it is gone for everybody then.");
    await takeOut(ctx, member);
    return null;
  },
});

/** Who belongs to a playlist of the caller's, by name. */
export const members = userQuery({
  args: { playlistId: v.string() },
  returns: v.array(memberView),
  handler: async (ctx, { playlistId }, caller) => {
    const { playlist, member } = await belonging(ctx, await knownUser(ctx, caller), playlistId);
    return membersShown(ctx, playlist._id, member);
  },
});

/** Makes a listener an editor, or the other way round. */
export const setRole = userMutation({
  args: { playlistId: v.string(), memberId: v.string(), role: invitedRole },
  returns: v.null(),
  handler: async (ctx, { playlistId, memberId, role }, caller) => {
    const { playlist } = await belonging(ctx, await knownUser(ctx, caller), playlistId, "owner");
    const member = await memberNamed(ctx, playlist._id, memberId);
    if (member.role === "owner") throw invalid("The owner of a playlist stays its owner.");
    await ctx.db.patch("playlistMembers", member._id, { role });
    return null;
  },
});

/** Takes somebody out, with what they added, and ends the links by which they could come back. */
export const expel = userMutation({
  args: { playlistId: v.string(), memberId: v.string() },
  returns: v.null(),
  handler: async (ctx, { playlistId, memberId }, caller) => {
    const { playlist } = await belonging(ctx, await knownUser(ctx, caller), playlistId, "owner");
    const id = ctx.db.normalizeId("playlistMembers", memberId);
    if (id !== null && (await ctx.db.get("playlistMembers", id)) === null) return null; // they are gone already
    const member = await memberNamed(ctx, playlist._id, memberId);
    if (member.role === "owner") throw invalid("The owner of a playlist cannot be taken out.");
    await takeOut(ctx, member);
    await endInvites(ctx, playlist._id);
    return null;
  },
});
