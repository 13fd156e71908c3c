/** Playlists of several people: who may do what in one, and what they let each other hear. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { api, internal } from "../../convex/_generated/api.js";
import { newToken } from "./public_functions.ts";
import { DAY_MS, type Caller, type PieceId, type World, begin, chatAccount, finished, pageFrom, refusal, rows, world } from "./world.ts";

let all: World;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  all = world();
});
afterEach(() => {
  vi.useRealTimers();
});

const person = (subject: string, name: string): Caller => all.backend.withIdentity(chatAccount(subject, name));
const create = async (caller: Caller, name = "Mornings", idempotencyKey = newToken()) => (await caller.mutation(api.playlists.create, { name, idempotencyKey })).playlistId;
const invite = async (caller: Caller, playlistId: string, role: "editor" | "listener") => (await caller.mutation(api.playlists.invite, { playlistId, role, token: newToken() })).token;
const join = (caller: Caller, token: string) => caller.mutation(api.playlists.join, { token });
const add = (caller: Caller, playlistId: string, generationId: string) => caller.mutation(api.playlists.add, { playlistId, generationId });
const drop = (caller: Caller, playlistId: string, entryId: string) => caller.mutation(api.playlists.drop, { playlistId, entryId });
const show = (caller: Caller, playlistId: string) => caller.query(api.playlists.show, { playlistId, ...pageFrom() });
const members = (caller: Caller, playlistId: string) => caller.query(api.playlists.members, { playlistId });
const get = (caller: Caller, generationId: string) => caller.query(api.musicGeneration.get, { generationId });
const memberId = async (owner: Caller, playlistId: string, name: string) => (await members(owner, playlistId)).find(({ person }) => person.name === name)?.memberId ?? "";
const mira = () => person("discord:7", "Mira");

/** A playlist of Asha's with a piece of hers, of which Ravi is an editor and Mira a listener. */
async function standing(): Promise<{ playlist: string; piece: PieceId; audio: string; entry: string }> {
  const { piece, audio } = await finished(all, all.asha);
  const playlist = await create(all.asha);
  const { entryId } = await add(all.asha, playlist, piece);
  await join(all.ravi, await invite(all.asha, playlist, "editor"));
  await join(mira(), await invite(all.asha, playlist, "listener"));
  return { playlist, piece, audio, entry: entryId };
}

test("members see, hear, keep and vary what stands in it; nobody else does", async () => {
  const { playlist, piece, audio } = await standing();
  for (const [caller, role] of [[all.asha, "owner"], [all.ravi, "editor"], [mira(), "listener"]] as const) {
    const shown = await show(caller, playlist);
    expect(shown).toMatchObject({ name: "Mornings", role, owner: { platform: "discord", name: "Asha" } });
    expect(shown.entries.page).toMatchObject([{ piece: { id: piece, own: role === "owner" }, addedBy: { name: "Asha" }, removable: role === "owner" }]);
    expect(await get(caller, piece)).toMatchObject({ id: piece });
    expect(await caller.query(api.files.getFileUrl, { storageId: audio })).toMatch(/^https?:/);
    expect(JSON.stringify(await members(caller, playlist))).not.toMatch(/discord:\d|telegram:\d/);
    expect((await members(caller, playlist)).map(({ role, person, own }) => [role, person.name, own])).toEqual([
      ["editor", "Ravi", role === "editor"],
      ["listener", "Mira", role === "listener"],
      ["owner", "Asha", role === "owner"],
    ]);
  }
  await mira().mutation(api.favorites.set, { generationId: piece, on: true, idempotencyKey: "heart" });
  const stranger = person("discord:8", "Stranger");
  await begin(stranger);
  await refusal(show(stranger, playlist), "not_found");
  await refusal(members(stranger, playlist), "not_found");
  await refusal(get(stranger, piece), "not_found");
  expect(await all.ravi.query(api.playlists.mine, {})).toMatchObject([{ playlistId: playlist, role: "editor", owner: { name: "Asha" } }]);
  expect(await stranger.query(api.playlists.mine, {})).toEqual([]);
  expect(await person("web:9", "New").query(api.playlists.mine, {})).toEqual([]);
});

test("an editor adds, and takes out what they added; the owner takes out anything; a listener neither", async () => {
  const { playlist, piece, entry } = await standing();
  const { piece: ravis } = await finished(all, all.ravi);
  const { entryId } = await add(all.ravi, playlist, ravis);
  expect(await add(all.ravi, playlist, ravis)).toEqual({ entryId }); // once is enough
  expect((await get(mira(), ravis)).own).toBe(false);
  const { piece: miras } = await finished(all, mira());
  await refusal(add(mira(), playlist, miras), "forbidden");
  await refusal(drop(mira(), playlist, entry), "forbidden");
  await refusal(drop(all.ravi, playlist, entry), "forbidden");
  await drop(all.ravi, playlist, entryId);
  await drop(all.ravi, playlist, entryId);
  await refusal(get(mira(), ravis), "not_found");
  const again = await add(all.ravi, playlist, ravis);
  await drop(all.asha, playlist, again.entryId);
  expect((await show(all.asha, playlist)).entries.page.map(({ piece }) => piece.id)).toEqual([piece]);
  const other = await create(all.asha, "Evenings");
  await refusal(drop(all.asha, other, entry), "not_found"); // of another playlist
});

test("a piece of another's opens to the members only as far as its owner shares it", async () => {
  const { playlist } = await standing();
  const zoya = person("discord:5", "Zoya");
  const { piece } = await finished(all, zoya);
  await refusal(add(all.ravi, playlist, piece), "not_found");
  const { token } = await zoya.mutation(api.shares.create, { generationId: piece, token: newToken(), idempotencyKey: "s" });
  await all.ravi.mutation(api.shares.open, { token });
  await add(all.ravi, playlist, piece);
  expect((await get(mira(), piece)).id).toBe(piece);
  await zoya.mutation(api.shares.revoke, { generationId: piece });
  await refusal(get(mira(), piece), "not_found");
  expect((await show(mira(), playlist)).entries.page).toHaveLength(1);
  // What one keeps of another's is not one's own to give on.
  const { piece: kept } = await finished(all, zoya);
  const link = await zoya.mutation(api.shares.create, { generationId: kept, token: newToken(), idempotencyKey: "k" });
  await all.ravi.mutation(api.shares.open, { token: link.token });
  await all.ravi.mutation(api.favorites.set, { generationId: kept, on: true, idempotencyKey: "heart" });
  await zoya.mutation(api.shares.revoke, { generationId: kept });
  expect(await refusal(add(all.ravi, playlist, kept), "invalid")).toMatch(/^This piece is somebody else's/);
});

test("only the owner renames, removes, invites, gives roles and takes people out", async () => {
  const { playlist } = await standing();
  const ravi = await memberId(all.asha, playlist, "Ravi");
  for (const caller of [all.ravi, mira()]) {
    await refusal(caller.mutation(api.playlists.rename, { playlistId: playlist, name: "Mine" }), "forbidden");
    await refusal(caller.mutation(api.playlists.remove, { playlistId: playlist }), "forbidden");
    await refusal(invite(caller, playlist, "editor"), "forbidden");
    await refusal(caller.mutation(api.playlists.uninvite, { playlistId: playlist }), "forbidden");
    await refusal(caller.mutation(api.playlists.setRole, { playlistId: playlist, memberId: ravi, role: "listener" }), "forbidden");
    await refusal(caller.mutation(api.playlists.expel, { playlistId: playlist, memberId: ravi }), "forbidden");
  }
  await all.asha.mutation(api.playlists.rename, { playlistId: playlist, name: " Dawn " });
  expect((await show(mira(), playlist)).name).toBe("Dawn");
  await all.asha.mutation(api.playlists.setRole, { playlistId: playlist, memberId: ravi, role: "listener" });
  const { piece } = await finished(all, all.ravi);
  await refusal(add(all.ravi, playlist, piece), "forbidden");
  const asha = await memberId(all.asha, playlist, "Asha");
  await refusal(all.asha.mutation(api.playlists.setRole, { playlistId: playlist, memberId: asha, role: "listener" }), "invalid");
  await refusal(all.asha.mutation(api.playlists.expel, { playlistId: playlist, memberId: asha }), "invalid");
  const other = await create(all.asha, "Evenings");
  await refusal(all.asha.mutation(api.playlists.expel, { playlistId: other, memberId: ravi }), "not_found");
});

test("who leaves or is taken out takes along what they added, and comes back by no old link", async () => {
  const { playlist, piece } = await standing();
  const { piece: ravis } = await finished(all, all.ravi);
  await add(all.ravi, playlist, ravis);
  const token = await invite(all.asha, playlist, "editor");
  const ravi = await memberId(all.asha, playlist, "Ravi");
  for (let time = 0; time < 2; time += 1) await all.asha.mutation(api.playlists.expel, { playlistId: playlist, memberId: ravi });
  await refusal(show(all.ravi, playlist), "not_found");
  await refusal(get(all.ravi, piece), "not_found");
  await refusal(get(all.asha, ravis), "not_found");
  expect(await join(all.ravi, token)).toEqual({ status: "unknown" });
  await mira().mutation(api.playlists.leave, { playlistId: playlist });
  await mira().mutation(api.playlists.leave, { playlistId: playlist });
  await refusal(show(mira(), playlist), "not_found");
  await refusal(all.asha.mutation(api.playlists.leave, { playlistId: playlist }), "invalid");
  expect((await members(all.asha, playlist)).map(({ person }) => person.name)).toEqual(["Asha"]);
});

test("a playlist that is removed is gone for everybody, with all but the pieces", async () => {
  const { playlist, piece } = await standing();
  await invite(all.asha, playlist, "editor");
  for (let time = 0; time < 2; time += 1) await all.asha.mutation(api.playlists.remove, { playlistId: playlist });
  const left = await rows(all);
  expect([left["playlists"], left["playlistMembers"], left["playlistEntries"], left["playlistInvites"]]).toEqual([undefined, undefined, undefined, undefined]);
  expect((await get(all.asha, piece)).own).toBe(true);
  await refusal(get(mira(), piece), "not_found");
  await refusal(show(all.asha, playlist), "not_found");
});

describe("invitations", () => {
  test("there is one for each role, for a week, until the owner ends them", async () => {
    const playlist = await create(all.asha);
    const token = await invite(all.asha, playlist, "listener");
    expect(await invite(all.asha, playlist, "listener")).toBe(token);
    expect(await invite(all.asha, playlist, "editor")).not.toBe(token);
    await all.asha.mutation(api.playlists.uninvite, { playlistId: playlist });
    expect(await join(all.ravi, token)).toEqual({ status: "unknown" });
    const next = await invite(all.asha, playlist, "listener");
    vi.advanceTimersByTime(7 * DAY_MS);
    expect(await join(all.ravi, next)).toEqual({ status: "unknown" });
    expect(await invite(all.asha, playlist, "listener")).not.toBe(next);
    await all.backend.mutation(internal.cleanup.purgeInvites, {});
    expect((await rows(all))["playlistInvites"]).toBe(1);
    vi.advanceTimersByTime(7 * DAY_MS + 1);
    await all.backend.mutation(internal.cleanup.purgeInvites, {});
    expect((await rows(all))["playlistInvites"]).toBeUndefined();
  });

  test("a stronger one gives the stronger role, a weaker one takes none away", async () => {
    const playlist = await create(all.asha);
    const [editor, listener] = [await invite(all.asha, playlist, "editor"), await invite(all.asha, playlist, "listener")];
    expect(await join(all.ravi, listener)).toMatchObject({ status: "ok", role: "listener", name: "Mornings", owner: { name: "Asha" } });
    expect(await join(all.ravi, editor)).toMatchObject({ status: "ok", role: "editor" });
    expect(await join(all.ravi, listener)).toMatchObject({ status: "ok", role: "editor" });
    expect(await join(all.asha, editor)).toMatchObject({ status: "ok", role: "owner" });
    expect(await members(all.asha, playlist)).toHaveLength(2);
  });

  test("wrong ones are counted together with wrong links to pieces, and end in a pause", async () => {
    for (let guess = 0; guess < 5; guess += 1) {
      expect(await join(all.ravi, newToken())).toEqual({ status: "unknown" });
      expect(await all.ravi.mutation(api.shares.open, { token: newToken() })).toEqual({ status: "unknown" });
    }
    expect(await join(all.ravi, newToken())).toMatchObject({ status: "paused" });
    for (const token of ["", "x", "x".repeat(10_000)]) await refusal(join(all.ravi, token), "invalid");
  });
});

test("bounds: fifty playlists of one's own, fifty of others, a hundred members, five hundred pieces", async () => {
  const { playlist, piece } = await standing();
  for (let number = 1; number < 50; number += 1) await create(all.asha, `Playlist ${String(number)}`);
  await refusal(create(all.asha), "too_many");
  expect(await all.asha.query(api.playlists.mine, {})).toHaveLength(50);
  const theirs = await all.asha.query(api.playlists.mine, {});
  for (const { playlistId } of theirs) if (playlistId !== playlist) await join(mira(), await invite(all.asha, playlistId, "listener"));
  expect(await mira().query(api.playlists.mine, {})).toHaveLength(50);
  const ravis = await create(all.ravi, "One more");
  await refusal(join(mira(), await invite(all.ravi, ravis, "listener")), "too_many");
  const token = await invite(all.asha, playlist, "listener");
  for (let number = 3; number < 100; number += 1) await join(person(`discord:${String(1000 + number)}`, "Guest"), token);
  await refusal(join(person("discord:2000", "Late"), token), "too_many");
  await all.backend.run(async (ctx) => {
    const entry = await ctx.db.query("playlistEntries").first();
    if (entry === null) throw new Error("There is no entry yet.");
    const { _id: _, _creationTime: __, ...fields } = entry;
    // Any other piece will do: only the number counts here.
    for (let number = 1; number < 500; number += 1) await ctx.db.insert("playlistEntries", fields);
  });
  const { piece: more } = await finished(all, all.asha);
  await refusal(add(all.asha, playlist, more), "too_many");
  expect(await add(all.asha, playlist, piece)).toMatchObject({});
  await all.asha.mutation(api.playlists.remove, { playlistId: playlist });
  expect((await rows(all))["playlistEntries"]).toBeUndefined();
});

test("a playlist is made once for a key, by a name of one's own, by nobody who is banned", async () => {
  const playlist = await create(all.asha, "Dawn", "key");
  expect(await create(all.asha, "Dusk", "key")).toBe(playlist);
  for (const name of ["", "  ", "x".repeat(101)]) await refusal(create(all.asha, name), "invalid");
  await refusal(all.asha.mutation(api.playlists.rename, { playlistId: playlist, name: "" }), "invalid");
  const unfinished = await begin(all.asha);
  await refusal(add(all.asha, playlist, unfinished), "invalid");
  await all.bot.mutation(api.groups.banEverywhere, { account: "discord:1" });
  await refusal(create(all.asha), "forbidden");
});
