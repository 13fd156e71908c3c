/** Seeding the catalogue: what is there as given stays, what is broken is refused whole, and keys follow their rules. */

import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { api } from "../../convex/_generated/api.js";
import { type Raga, type World, raga, refusal, rows, world } from "./world.ts";

const YAMAN = raga("Yaman", {
  aliases: ["Yaman Kalyan", "Kalyan"],
  scripts: [{ script: "Deva", name: "यमन" }],
  mood: ["peaceful"],
  time: ["evening"],
  thaat: "Kalyan",
});

let all: World;
beforeEach(() => {
  all = world();
});

function upsert(...ragas: Raga[]): Promise<{ added: number; changed: number; unchanged: number }> {
  return all.bot.mutation(api.catalogue.upsert, { ragas });
}

async function named(name: string, tradition?: Raga["tradition"]): Promise<string | null> {
  const found = await all.backend.query(api.ragas.getByName, { name, ...(tradition === undefined ? {} : { tradition }) });
  return found === null ? null : `${found.name}, ${found.tradition}`;
}

async function searched(query: string, tradition?: Raga["tradition"]): Promise<string[]> {
  const found = await all.backend.query(api.ragas.search, { query, ...(tradition === undefined ? {} : { tradition }) });
  return found.map(({ name }) => name);
}

describe("seeding", () => {
  test("adds once; repeated, whatever the order of the fields, it changes nothing", async () => {
    expect(await upsert(YAMAN, raga("Durga"))).toEqual({ added: 2, changed: 0, unchanged: 0 });
    const before = await rows(all);
    const turned = Object.fromEntries(Object.entries(YAMAN).reverse()) as Raga;
    expect(await upsert(turned, raga("Durga"))).toEqual({ added: 0, changed: 0, unchanged: 2 });
    expect(await rows(all)).toEqual(before);
    expect(before).toEqual({ ragas: 2, ragaNames: 5, ragaFacets: 10 });
  });

  test("a change replaces the raga and its spellings, and keeps its id", async () => {
    await upsert(YAMAN);
    const before = await all.backend.query(api.ragas.getByName, { name: "Yaman" });
    const { mood: _, ...moodless } = YAMAN;
    expect(await upsert({ ...moodless, aliases: ["Kalyan", "Eman"] })).toEqual({ added: 0, changed: 1, unchanged: 0 });
    const after = await all.backend.query(api.ragas.getByName, { name: "eman" });
    expect(after).toMatchObject({ _id: before?._id, aliases: ["Kalyan", "Eman"] });
    expect(after).not.toHaveProperty("mood");
    expect([await named("yaman kalyan"), await named("kalyan")]).toEqual([null, "Yaman, Hindustani"]);
    expect(await searched("peaceful")).toEqual([]);
  });

  test("what is removed leaves nothing behind, and the rest as it is", async () => {
    await upsert(YAMAN, raga("Durga"));
    const ragas = [{ name: "Yaman", tradition: "Hindustani" as const }];
    expect(await all.bot.mutation(api.catalogue.remove, { ragas })).toBe(1);
    expect(await all.bot.mutation(api.catalogue.remove, { ragas })).toBe(0);
    expect([await named("yaman"), await named("durga")]).toEqual([null, "Durga, Hindustani"]);
    expect(await searched("kalyan")).toEqual([]);
    expect(await rows(all)).toMatchObject({ ragas: 1, ragaNames: 1 });
  });

  test("a change mends spellings that an older folding left", async () => {
    await upsert(YAMAN);
    await all.backend.run(async (ctx) => {
      for (const { _id, own } of await ctx.db.query("ragaNames").collect()) await ctx.db.patch("ragaNames", _id, { own: !own });
    });
    await upsert({ ...YAMAN, notes: "changed" });
    const spellings = await all.backend.run((ctx) => ctx.db.query("ragaNames").collect());
    expect(spellings.filter(({ own }) => own).map(({ folded }) => folded)).toEqual(["yaman"]);
    expect(spellings).toHaveLength(4);
  });

  test("what was folded by older rules is no published catalogue, and the next seeding makes its rows anew", async () => {
    await upsert(YAMAN);
    await all.bot.mutation(api.catalogue.publish, { version: "one", count: 1 });
    const keys = () => all.backend.run(async (ctx) => [await ctx.db.query("ragaNames").collect(), await ctx.db.query("ragaFacets").collect()]);
    const made = (await keys()).map((table) => table.length);
    await all.backend.run(async (ctx) => {
      for (const table of ["ragas", "catalogueState"] as const) {
        const row = await ctx.db.query(table).unique();
        if (row !== null) await ctx.db.patch(table, row._id, { folding: undefined });
      }
      for (const { _id } of await ctx.db.query("ragaFacets").collect()) await ctx.db.delete("ragaFacets", _id);
      for (const { _id } of await ctx.db.query("ragaNames").collect()) await ctx.db.patch("ragaNames", _id, { sound: undefined, pairs: "" });
    });
    expect(await all.backend.query(api.catalogue.version, {})).toBeNull();
    expect(await upsert(YAMAN)).toEqual({ added: 0, changed: 1, unchanged: 0 });
    await all.bot.mutation(api.catalogue.publish, { version: "one", count: 1 });
    expect(await all.backend.query(api.catalogue.version, {})).toEqual({ version: "one", count: 1 });
    const again = await keys();
    expect(again.map((table) => table.length)).toEqual(made);
    expect(again.flat().filter((row) => "folded" in row && row.sound === undefined)).toEqual([]);
    expect(await searched("yamin")).toEqual(["Yaman"]);
  });

  test("a change takes away the qualities that were", async () => {
    await upsert(raga("Yaman", { mood: ["peaceful"], familiarity: 3 }));
    await upsert(raga("Yaman", { mood: ["joyful"] }));
    const facets = await all.backend.run((ctx) => ctx.db.query("ragaFacets").collect());
    expect(facets.map(({ facet }) => facet).filter((facet) => facet.startsWith("mood"))).toEqual(["mood:joyful"]);
    expect(new Set(facets.map(({ place }) => place))).toEqual(new Set([1000]));
  });

  test("the same raga twice in one call is one raga", async () => {
    expect(await upsert(YAMAN, YAMAN)).toEqual({ added: 1, changed: 0, unchanged: 1 });
  });

  test("one name in both traditions is two ragas", async () => {
    expect(await upsert(raga("Hindol"), raga("Hindol", { tradition: "Carnatic" }))).toMatchObject({ added: 2 });
  });

  test.each<[string, Partial<Raga>]>([
    ["no name", { name: " " }],
    ["a name without letters", { name: "-!-" }],
    ["a name of 10,000 characters", { name: "x".repeat(10_000) }],
    ["no arohana", { arohana: [] }],
    ["no avarohana", { avarohana: [] }],
    ["melakarta 0", { melakarta: 0 }],
    ["melakarta 73", { melakarta: 73 }],
    ["melakarta NaN", { melakarta: NaN }],
    ["half a prahar", { prahar: [1.5] }],
    ["prahar 9", { prahar: [9] }],
    ["a place of -1", { familiarity: -1 }],
    ["sixty spellings", { aliases: Array.from({ length: 60 }, (_, n) => `alias ${String(n)}`) }],
    ["an entry of more than 8 KiB", { audioFeatures: { spectrum: "x".repeat(8192) } }],
  ])("%s is refused, and nothing of the same call is kept", async (_, more) => {
    await refusal(upsert(raga("Durga"), raga("Wrong", more)), "invalid");
    expect(await rows(all)).toEqual({});
  });

  test("at most a hundred at once", async () => {
    const many = Array.from({ length: 101 }, (_, n) => raga(`Raga ${String(n)}`));
    expect(await refusal(upsert(...many), "invalid")).toContain("100");
    expect(await upsert(...many.slice(1))).toMatchObject({ added: 100 });
  });

  test("publishing says which catalogue is complete, and its repeat writes nothing", async () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const version = () => all.backend.query(api.catalogue.version, {});
    const publish = (name: string, count: number) => all.bot.mutation(api.catalogue.publish, { version: name, count });
    const state = () => all.backend.run((ctx) => ctx.db.query("catalogueState").unique());
    expect(await version()).toBeNull();
    await publish("one", 2);
    const first = await state();
    vi.advanceTimersByTime(1000);
    await publish("one", 2);
    expect(await state()).toEqual(first);
    await publish("one", 3);
    expect(await version()).toEqual({ version: "one", count: 3 });
    await publish("two", 3);
    expect(await version()).toEqual({ version: "two", count: 3 });
    expect((await state())?._id).toBe(first?._id);
    for (const count of [-1, 1.5, NaN, 1e9]) await refusal(publish("three", count), "invalid");
    for (const name of ["", "x".repeat(10_000)]) await refusal(publish(name, 3), "invalid");
  });
});

