/** The move from PostgreSQL, seen from Convex: entries in their places, found again, changed, and taken back. */

import { makeFunctionReference } from "convex/server";
import { describe, expect, test, vi } from "vitest";

import type { Doc } from "../../convex/_generated/dataModel.js";
import { heldByMigration } from "../../convex/model/migrationFiles.ts";
import { migratedUser } from "../../convex/model/migrationPeople.ts";
import { begin, DAY_MS, pageFrom, raga, rows, upload, world, type Caller, type World } from "./world.ts";

interface Entry {
  table: string;
  id: string;
  checksum: string;
  target: string;
  doc: Record<string, unknown>;
  [ref: string]: unknown;
}
interface Outcome {
  how: string;
  docId?: string;
}
interface Found {
  id: string;
  target: string;
  how: string;
  docId: string;
  doc: Record<string, unknown> | null;
  files: { id: string; sha256: string | null }[];
}
interface Page<Item> {
  page: Item[];
  isDone: boolean;
  continueCursor: string;
}

const SOURCE = "old";

function runOf(id: string): Record<string, unknown> {
  return { id, source: SOURCE, total: 3, startedAt: 1 };
}

function write(caller: Caller, entries: Entry[], run = "r1"): Promise<Outcome[]> {
  return caller.mutation(makeFunctionReference<"mutation", Record<string, unknown>, Outcome[]>("migration:write"), {
    run: runOf(run),
    entries,
  });
}

function replace(caller: Caller, entry: Entry, previous: unknown, run = "r2"): Promise<boolean> {
  return caller.mutation(makeFunctionReference<"mutation", Record<string, unknown>, boolean>("migration:replace"), {
    run: runOf(run),
    entry,
    previous,
  });
}

async function rollBack(caller: Caller, run: string): Promise<Record<string, number>> {
  const reference = makeFunctionReference<"mutation", Record<string, unknown>, Record<string, number> & { done: boolean }>("migration:rollback");
  const sum: Record<string, number> = { removed: 0, restored: 0, kept: 0, unlinked: 0 };
  for (;;) {
    const taken = await caller.mutation(reference, { run });
    for (const name of Object.keys(sum)) sum[name] = (sum[name] ?? 0) + (taken[name] ?? 0);
    if (taken.done) return sum;
  }
}

async function found(caller: Caller): Promise<Found[]> {
  const reference = makeFunctionReference<"query", Record<string, unknown>, Page<Found>>("migration:page");
  return (await caller.query(reference, { source: SOURCE, ...pageFrom(null, 100) })).page;
}

function strays(caller: Caller, table: string): Promise<Page<string>> {
  return caller.query(makeFunctionReference<"query", Record<string, unknown>, Page<string>>("migration:strays"), { table, ...pageFrom() });
}

function user(id: string, email?: string): Entry {
  return { table: "users", id, checksum: `u${id}`, target: "users", doc: { ...(email === undefined ? {} : { email }), name: `User ${id}`, createdAt: 5 } };
}

function piece(id: string, owner: string, more: Record<string, unknown> = {}): Entry {
  const request = { musicType: "instrumental", mood: "", theme: "", duration: 30 };
  return {
    table: "generations",
    id,
    checksum: `g${id}`,
    target: "musicGenerations",
    owner: { table: "users", id: owner },
    doc: { request, status: "completed", isFavorite: false, createdAt: 6, ...more },
  };
}

function heart(id: string, owner: string, kept: string): Entry {
  return {
    table: "favorites",
    id,
    checksum: `f${id}`,
    target: "favorites",
    owner: { table: "users", id: owner },
    piece: { table: "generations", id: kept },
    doc: { kind: "generation", createdAt: 7 },
  };
}

function legacy(id: string, more: Record<string, unknown> = {}): Entry {
  return { table: "talas", id, checksum: `l${id}`, target: "legacy", doc: { source: SOURCE, table: "talas", legacyId: id, json: "{}", ...more } };
}

function all<Table extends "users" | "musicGenerations" | "favorites" | "legacy" | "migrated">(
  { backend }: World,
  table: Table,
): Promise<Doc<Table>[]> {
  return backend.run((ctx) => ctx.db.query(table).collect());
}

describe("writing", () => {
  test("puts each entry in its place once, and says so again to the same run", async () => {
    const here = world();
    const entries = [user("1", "asha@example.org"), piece("a", "1", { isFavorite: true }), heart("x", "1", "a"), legacy("1")];
    expect((await write(here.bot, entries)).map(({ how }) => how)).toEqual(["created", "created", "created", "created"]);
    const after = await rows(here);
    expect(after).toEqual({ users: 1, musicGenerations: 1, favorites: 1, legacy: 1, migrated: 4, migrations: 1 });
    expect((await write(here.bot, entries)).map(({ how }) => how)).toEqual(["created", "created", "created", "created"]);
    expect((await write(here.bot, entries, "r2")).map(({ how }) => how)).toEqual(["unchanged", "unchanged", "unchanged", "unchanged"]);
    expect(await rows(here)).toEqual(after);
    const [owner] = await all(here, "users");
    expect((await all(here, "musicGenerations"))[0]?.userId).toBe(owner?._id);
  });

  test("a run that finds everything there leaves no row of its own", async () => {
    const here = world();
    await write(here.bot, [user("1")]);
    await write(here.bot, [user("1")], "r2");
    expect((await rows(here))["migrations"]).toBe(1);
  });

  test("waits with what refers to rows that are not there", async () => {
    const here = world();
    expect(await write(here.bot, [piece("a", "1"), heart("x", "1", "a")])).toEqual([{ how: "waits" }, { how: "waits" }]);
    expect(await rows(here)).toEqual({});
  });

  test("says where the content differs, and changes nothing", async () => {
    const here = world();
    await write(here.bot, [user("1")]);
    const before = await all(here, "users");
    const [told] = await write(here.bot, [{ ...user("1"), checksum: "another" }], "r2");
    expect(told).toEqual({ how: "differs", docId: before[0]?._id });
    expect(await all(here, "users")).toEqual(before);
  });

  test("merges a person into the row of their verified address, which stays as it is", async () => {
    const here = world();
    const mira = here.backend.withIdentity({ issuer: "https://accounts.test", subject: "mira", email: "asha@example.org", emailVerified: true });
    await begin(mira);
    const before = await all(here, "users");
    expect(await write(here.bot, [user("1", "asha@example.org"), piece("a", "1")])).toMatchObject([{ how: "merged", docId: before[0]?._id }, { how: "created" }]);
    expect(await all(here, "users")).toEqual(before);
    expect((await all(here, "musicGenerations")).map(({ userId }) => userId)).toEqual([before[0]?._id, before[0]?._id]);
    await rollBack(here.bot, "r1");
    expect(await all(here, "users")).toEqual(before);
    expect(await all(here, "musicGenerations")).toHaveLength(1);
  });

  test("two hearts of one person on one piece are one", async () => {
    const here = world();
    await write(here.bot, [user("1"), piece("a", "1")]);
    expect(await write(here.bot, [heart("x", "1", "a"), heart("y", "1", "a")])).toMatchObject([{ how: "created" }, { how: "merged" }]);
    expect(await all(here, "favorites")).toHaveLength(1);
  });
});

describe("reading back", () => {
  test("gives every entry with its document as it is now, and null for one that is gone", async () => {
    const here = world();
    const file = await upload(here, "a long text");
    await write(here.bot, [user("1"), legacy("1", { json: undefined, file }), legacy("2")]);
    const gone = (await all(here, "legacy")).find(({ legacyId }) => legacyId === "2");
    await here.backend.run(async (ctx) => {
      if (gone !== undefined) await ctx.db.delete("legacy", gone._id);
    });
    const seen = await found(here.bot);
    expect(seen.map(({ id, target, doc }) => [target, id, doc === null])).toEqual([["legacy", "1", false], ["legacy", "2", true], ["users", "1", false]]);
    expect(seen[2]?.doc).toEqual({ name: "User 1", createdAt: 5 });
    expect(seen[0]?.files).toMatchObject([{ id: file, sha256: expect.stringMatching(/\S/) as string }]);
  });

  test("finds documents that no run brought", async () => {
    const here = world();
    await write(here.bot, [legacy("1")]);
    expect((await strays(here.bot, "legacy")).page).toEqual([]);
    const planted = await here.backend.run((ctx) => ctx.db.insert("legacy", { source: SOURCE, table: "talas", legacyId: "9", json: "{}" }));
    expect((await strays(here.bot, "legacy")).page).toEqual([planted]);
  });

  test("recordings are found by their raga", async () => {
    const here = world();
    const doc = { title: "Pune 1975", raga: { name: "Yaman", tradition: "Hindustani" } };
    await write(here.bot, [{ table: "performances", id: "1", checksum: "p1", target: "recordings", doc }]);
    const ask = (name: string): Promise<unknown> =>
      here.bot.query(makeFunctionReference<"query", Record<string, unknown>>("migration:recordings"), { raga: name, tradition: "Hindustani" });
    expect(await ask("Yaman")).toEqual([{ title: "Pune 1975" }]);
    expect(await ask("Todi")).toEqual([]);
  });
});

describe("files", () => {
  const unused = (here: World): Promise<Page<{ id: string }>> =>
    here.bot.query(makeFunctionReference<"query", Record<string, unknown>, Page<{ id: string }>>("migration:uploads"), { since: 0, ...pageFrom() });

  test("what a killed run has uploaded is found until something refers to it", async () => {
    const here = world();
    const [text, audio, left] = [await upload(here, "text"), await upload(here, "audio"), await upload(here, "left")];
    await write(here.bot, [user("1"), legacy("1", { file: text }), piece("a", "1", { audioFileId: audio })]);
    expect((await unused(here)).page.map(({ id }) => id)).toEqual([left]);
  });

  test("are not taken for unused by the cleanup of every day", async () => {
    vi.useFakeTimers();
    const here = world();
    const [kept, left] = [await upload(here, "kept"), await upload(here, "left")];
    await write(here.bot, [legacy("1", { file: kept })]);
    vi.advanceTimersByTime(2 * DAY_MS);
    await here.backend.mutation(makeFunctionReference<"mutation">("cleanup:purgeFiles"), {});
    const files = await here.backend.run((ctx) => ctx.db.system.query("_storage").collect());
    expect(files.map(({ _id }) => _id)).toEqual([kept]);
    expect(left).not.toBe(kept);
    vi.useRealTimers();
  });

  test("are held as long as a row refers to them, and go with the last one", async () => {
    const here = world();
    const shared = await upload(here, "shared");
    const held = (): Promise<boolean> => here.backend.run((ctx) => heldByMigration(ctx, shared));
    await write(here.bot, [legacy("1", { file: shared })], "r1");
    await write(here.bot, [legacy("2", { file: shared })], "r2");
    await rollBack(here.bot, "r1");
    expect([await held(), (await rows(here))["_storage"]]).toEqual([true, 1]);
    await rollBack(here.bot, "r2");
    expect(await rows(here)).toEqual({});
  });
});

describe("a later run", () => {
  const changed = (): Entry => ({ ...user("1"), checksum: "new", doc: { name: "Another", createdAt: 5 } });

  test("changes what is still as the earlier one left it, and is taken back alone", async () => {
    const here = world();
    await write(here.bot, [user("1")]);
    const before = await all(here, "users");
    const [seen] = await found(here.bot);
    expect(await replace(here.bot, changed(), seen?.doc)).toBe(true);
    expect(await replace(here.bot, changed(), null)).toBe(true); // a repeat whose answer was lost
    expect((await all(here, "users"))[0]).toMatchObject({ name: "Another" });
    expect(await rollBack(here.bot, "r2")).toMatchObject({ restored: 1, removed: 0 });
    expect(await all(here, "users")).toEqual(before);
    await rollBack(here.bot, "r1");
    expect(await rows(here)).toEqual({});
  });

  test("leaves alone what somebody has changed since", async () => {
    const here = world();
    await write(here.bot, [user("1")]);
    const [seen] = await found(here.bot);
    await here.backend.run(async (ctx) => {
      const [one] = await ctx.db.query("users").collect();
      if (one !== undefined) await ctx.db.patch("users", one._id, { name: "By myself" });
    });
    expect(await replace(here.bot, changed(), seen?.doc)).toBe(false);
    expect((await all(here, "users"))[0]?.name).toBe("By myself");
  });

  test("keeps the audio that a piece had until it is sure that nobody goes back", async () => {
    const here = world();
    const [first, second] = [await upload(here, "first"), await upload(here, "second")];
    await write(here.bot, [user("1"), piece("a", "1", { audioFileId: first })]);
    const seen = (await found(here.bot)).find(({ target }) => target === "musicGenerations");
    const { userId: _, ...previous } = seen?.doc ?? {};
    expect(await replace(here.bot, { ...piece("a", "1", { audioFileId: second }), checksum: "new" }, { ...previous, userId: seen?.doc?.["userId"] })).toBe(true);
    expect(await here.backend.run((ctx) => heldByMigration(ctx, first))).toBe(true);
    await rollBack(here.bot, "r2");
    expect((await all(here, "musicGenerations"))[0]?.audioFileId).toBe(first);
    expect((await rows(here))["_storage"]).toBe(1);
    await rollBack(here.bot, "r1");
    expect(await rows(here)).toEqual({});
  });
});

describe("the way back", () => {
  test("takes away what the run brought and nothing else, in many steps", async () => {
    const here = world();
    await begin(here.asha);
    await here.bot.mutation(makeFunctionReference<"mutation">("catalogue:upsert"), { ragas: [raga("Yaman")] });
    const before = await rows(here);
    const many = Array.from({ length: 450 }, (_, number) => legacy(String(number)));
    await write(here.bot, [user("1"), piece("a", "1"), heart("x", "1", "a")]);
    await write(here.bot, many);
    expect(await rollBack(here.bot, "r1")).toEqual({ removed: 453, restored: 0, kept: 0, unlinked: 0 });
    expect(await rows(here)).toEqual(before);
    expect(await rollBack(here.bot, "r1")).toEqual({ removed: 0, restored: 0, kept: 0, unlinked: 0 });
  });

  test("keeps a user who has come since, with what they made", async () => {
    const here = world();
    await write(here.bot, [user("1"), user("2"), piece("a", "1")]);
    const one = (await all(here, "users")).find(({ name }) => name === "User 1");
    await here.backend.run(async (ctx) => {
      if (one !== undefined) await ctx.db.insert("accounts", { account: "x|1", userId: one._id, platform: "oidc", createdAt: 1 });
    });
    expect(await rollBack(here.bot, "r1")).toEqual({ removed: 2, restored: 0, kept: 1, unlinked: 0 });
    expect(await rows(here)).toEqual({ users: 1, accounts: 1 });
  });

  test("keeps a user who was linked with another, for as long as that may be taken back", async () => {
    const here = world();
    await write(here.bot, [user("1")]);
    await here.backend.run(async (ctx) => {
      const [one] = await ctx.db.query("users").collect();
      const other = await ctx.db.insert("users", { name: "Asha", createdAt: 0 });
      if (one !== undefined) await ctx.db.patch("users", one._id, { mergedInto: other });
    });
    const before = await all(here, "users");
    expect(await rollBack(here.bot, "r1")).toEqual({ removed: 0, restored: 0, kept: 1, unlinked: 0 });
    expect(await all(here, "users")).toEqual(before);
  });

  test("leaves a user as they are who has come since a later run", async () => {
    const here = world();
    await write(here.bot, [user("1")]);
    const [seen] = await found(here.bot);
    await replace(here.bot, { ...user("1"), checksum: "new", doc: { name: "Another", createdAt: 5 } }, seen?.doc);
    await here.backend.run(async (ctx) => {
      const [one] = await ctx.db.query("users").collect();
      if (one === undefined) return;
      await ctx.db.insert("accounts", { account: "x|1", userId: one._id, platform: "oidc", createdAt: 1 });
      await ctx.db.patch("users", one._id, { name: "By myself" });
    });
    expect(await rollBack(here.bot, "r2")).toEqual({ removed: 0, restored: 0, kept: 1, unlinked: 0 });
    expect((await all(here, "users"))[0]?.name).toBe("By myself");
  });

  test("leaves other runs alone", async () => {
    const here = world();
    await write(here.bot, [user("1")], "r1");
    await write(here.bot, [user("2")], "r2");
    await rollBack(here.bot, "r2");
    expect((await all(here, "users")).map(({ name }) => name)).toEqual(["User 1"]);
  });
});

describe("what the old database has no more", () => {
  const withdraw = (here: World, gone: Found[]): Promise<string[]> =>
    here.bot.mutation(makeFunctionReference<"mutation", Record<string, unknown>, string[]>("migration:withdraw"), {
      source: SOURCE,
      rows: gone.map(({ id, target, doc }) => ({ table: tableOf[target], id, target, previous: doc })),
    });
  const tableOf: Record<string, string> = { users: "users", musicGenerations: "generations", favorites: "favorites", legacy: "talas" };
  const order = ["legacy", "favorites", "musicGenerations", "users"];
  const foundIn = async (here: World): Promise<Found[]> =>
    (await found(here.bot)).sort((one, other) => order.indexOf(one.target) - order.indexOf(other.target));

  test("is taken out with its file and its place among what was brought", async () => {
    const here = world();
    const file = await upload(here, "old");
    await write(here.bot, [user("1"), piece("a", "1"), heart("x", "1", "a"), legacy("1", { file })]);
    expect(await withdraw(here, await foundIn(here))).toEqual(["removed", "removed", "removed", "removed"]);
    expect(await rows(here)).toEqual({ migrations: 1 });
    await rollBack(here.bot, "r1");
    expect(await rows(here)).toEqual({});
  });

  test("is not there at a repeat whose answer was lost", async () => {
    const here = world();
    await write(here.bot, [user("1")]);
    const gone = await foundIn(here);
    await withdraw(here, gone);
    expect(await withdraw(here, gone)).toEqual(["removed"]);
  });

  test("stays where somebody has changed it since the caller looked", async () => {
    const here = world();
    await write(here.bot, [user("1")]);
    const gone = await foundIn(here);
    await here.backend.run(async (ctx) => {
      const [one] = await ctx.db.query("users").collect();
      if (one !== undefined) await ctx.db.patch("users", one._id, { name: "By myself" });
    });
    expect(await withdraw(here, gone)).toEqual(["changed"]);
    expect(await rows(here)).toEqual({ users: 1, migrated: 1, migrations: 1 });
  });

  test("is somebody's own where they have signed in, and nothing of the migration's any more", async () => {
    const here = world();
    await write(here.bot, [user("1")]);
    await here.backend.run(async (ctx) => {
      const [one] = await ctx.db.query("users").collect();
      if (one !== undefined) await ctx.db.insert("accounts", { account: "x|1", userId: one._id, platform: "oidc", createdAt: 1 });
    });
    expect(await withdraw(here, await foundIn(here))).toEqual(["kept"]);
    expect(await rows(here)).toEqual({ users: 1, accounts: 1, migrations: 1 });
  });

  test("was there before the migration where it was only found again", async () => {
    const here = world();
    await here.backend.run((ctx) => ctx.db.insert("users", { email: "asha@example.org", createdAt: 1 }));
    await write(here.bot, [user("1", "asha@example.org")]);
    expect(await withdraw(here, await foundIn(here))).toEqual(["unlinked"]);
    expect(await rows(here)).toEqual({ users: 1, migrations: 1 });
  });
});

describe("a person who comes back", () => {
  const asks = (here: World, email?: string): Promise<string | null> =>
    here.backend.run(async (ctx) => (await migratedUser(ctx, { account: "https://accounts.test|u", platform: "oidc", ...(email === undefined ? {} : { email }) }))?.name ?? null);

  test("is found by the address that their provider verified, however written", async () => {
    const here = world();
    await write(here.bot, [user("1", "asha@example.org")]);
    expect(await asks(here, "Asha@Example.org")).toBe("User 1");
    expect(await asks(here, "ravi@example.org")).toBeNull();
    expect(await asks(here)).toBeNull();
  });

  test("has their old history, at their first look and after", async () => {
    const here = world();
    await write(here.bot, [user("1", "asha@example.org"), piece("a", "1")]);
    const before = await all(here, "users");
    const sign = (emailVerified: boolean): Caller =>
      here.backend.withIdentity({ issuer: "https://accounts.test", subject: "u", email: "Asha@example.org", emailVerified });
    const history = (caller: Caller): Promise<unknown[]> =>
      caller.query(makeFunctionReference<"query", Record<string, unknown>, unknown[]>("musicGeneration:getUserHistory"), {});
    expect(await history(sign(false))).toEqual([]);
    expect(await history(sign(true))).toHaveLength(1);
    await begin(sign(true));
    expect(await all(here, "users")).toEqual(before);
    expect(await history(sign(true))).toHaveLength(2);
    await rollBack(here.bot, "r1");
    expect(await history(sign(true))).toHaveLength(1);
  });

  test("is not found in rows that no migration brought", async () => {
    const here = world();
    await here.backend.run((ctx) => ctx.db.insert("users", { email: "asha@example.org", name: "Somebody", createdAt: 1 }));
    expect(await asks(here, "asha@example.org")).toBeNull();
  });
});
