/** The catalogue: seeding it, and finding ragas in it. */

import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { api } from "../../convex/_generated/api.js";
import { type Raga, type World, pageFrom, raga, refusal, rows, world } from "./world.ts";

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
    expect(before).toEqual({ ragas: 2, ragaNames: 5 });
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

describe("by name", () => {
  beforeEach(() => upsert(YAMAN, raga("Todi"), raga("Todi", { tradition: "Carnatic", aliases: ["Hanumatodi"] })));

  test.each([
    ["Yaman", "Yaman, Hindustani"],
    ["yaman", "Yaman, Hindustani"],
    ["  Rāga YAMAN ", "Yaman, Hindustani"],
    ["Raag Yaman-Kalyān", "Yaman, Hindustani"],
    ["yamankalyan", "Yaman, Hindustani"],
    ["यमन", "Yaman, Hindustani"],
    ["Todi", "Todi, Hindustani"],
    ["todi", "Todi, Hindustani"],
    ["hanuma todi", "Todi, Carnatic"],
    ["Yamn", null],
    ["raga", null],
    ["!?", null],
  ])("%s: %s", async (name, found) => {
    expect(await named(name)).toBe(found);
  });

  test("the tradition asked for decides between namesakes, and finds nothing where there is none", async () => {
    expect([await named("todi", "Carnatic"), await named("Todi", "Carnatic"), await named("Todi", "Hindustani")]).toEqual([
      "Todi, Carnatic",
      "Todi, Carnatic",
      "Todi, Hindustani",
    ]);
    expect(await named("Yaman", "Carnatic")).toBeNull();
  });

  test("a raga's own name comes before another's alias, whichever came first", async () => {
    await upsert(raga("Kalyani", { tradition: "Carnatic", aliases: ["Mecha Kalyani"] }), raga("Kalyan"));
    expect(await named("kalyan")).toBe("Kalyan, Hindustani");
    await upsert(raga("Bilawal", { aliases: ["Kalyani"] }));
    expect(await named("KALYANI")).toBe("Kalyani, Carnatic");
    expect(await named("Kalyani", "Hindustani")).toBe("Bilawal, Hindustani");
  });

  test("an exact spelling comes before one that only folds to the same", async () => {
    await upsert(raga("Tōḍi"));
    expect([await named("Todi"), await named("Tōḍi")]).toEqual(["Todi, Hindustani", "Tōḍi, Hindustani"]);
  });

  test("gives the fields of the schema and no inner ones", async () => {
    const found = await all.backend.query(api.ragas.getByName, { name: "Yaman" });
    expect(found).toEqual({ ...YAMAN, _id: expect.any(String) as string, _creationTime: expect.any(Number) as number });
  });

  test("a blank and a boundless name are refused", async () => {
    expect(await refusal(named("  "), "invalid")).toBe("The name must not be empty.");
    expect(await refusal(named("x".repeat(10_000)), "invalid")).toBe("The name may have at most 100 characters.");
  });
});

describe("search", () => {
  beforeEach(() =>
    upsert(
      YAMAN,
      raga("Marwa", { mood: ["melancholic"], time: ["sunset"], season: ["monsoon"], rasa: ["vira"], description: "Austere and restless." }),
      raga("Mayamalavagowla", { tradition: "Carnatic", mood: ["peaceful"], melakarta: 15, chakra: "Agni" }),
      raga("Malahari", { tradition: "Carnatic", parent: "Mayamalavagowla" }),
    ),
  );

  test.each([
    ["peaceful", ["Yaman", "Mayamalavagowla"]],
    ["PEACE", ["Yaman", "Mayamalavagowla"]],
    ["sunset", ["Marwa"]],
    ["mār", ["Marwa"]],
    ["monsoon", ["Marwa"]],
    ["vira", ["Marwa"]],
    ["restless", ["Marwa"]],
    ["agni", ["Mayamalavagowla"]],
    ["mayamalavagowla", ["Mayamalavagowla", "Malahari"]],
    ["yamankalyan", ["Yaman"]],
    ["melakarta 15", ["Mayamalavagowla"]],
    ["xylophone", []],
    ["...", []],
  ])("%s", async (query, found) => {
    expect((await searched(query)).sort()).toEqual(found.sort());
  });

  test("within a tradition", async () => {
    expect(await searched("peaceful", "Carnatic")).toEqual(["Mayamalavagowla"]);
  });

  test("a search of many words is looked at as far as Convex looks, and answers at most fifty ragas", async () => {
    await upsert(...Array.from({ length: 60 }, (_, n) => raga(`Kanada ${String(n)}`)));
    expect(await searched("kanada ".repeat(14))).toHaveLength(50);
    expect(await searched(`${"zz ".repeat(16)}sunset`)).not.toContain("Marwa");
  });

  test("a blank and a boundless search are refused", async () => {
    await refusal(searched(" "), "invalid");
    await refusal(searched("x".repeat(10_000)), "invalid");
  });
});

describe("all of it", () => {
  beforeEach(() => upsert(YAMAN, raga("Durga"), raga("Mohanam", { tradition: "Carnatic" })));

  test("everything, or one tradition", async () => {
    const everything = await all.backend.query(api.ragas.getAll, {});
    expect(everything.map(({ name }) => name)).toEqual(["Yaman", "Durga", "Mohanam"]);
    expect(everything[0]).not.toHaveProperty("searchText");
    const carnatic = await all.backend.query(api.ragas.getAll, { tradition: "Carnatic" });
    expect(carnatic.map(({ name }) => name)).toEqual(["Mohanam"]);
  });

  test("page by page, each once", async () => {
    const names: string[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < 3; pages += 1) {
      const page: { page: { name: string }[]; isDone: boolean; continueCursor: string } = await all.backend.query(api.ragas.page, pageFrom(cursor, 2));
      names.push(...page.page.map(({ name }) => name));
      cursor = page.continueCursor;
      expect(page.isDone).toBe(pages > 0);
      if (page.isDone) break;
    }
    expect(names).toEqual(["Yaman", "Durga", "Mohanam"]);
  });

  test.each([0, -1, 101, 1.5, NaN, Infinity])("a page of %d is refused", async (size) => {
    await refusal(all.backend.query(api.ragas.page, pageFrom(null, size)), "invalid");
  });
});
