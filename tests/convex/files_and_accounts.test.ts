/** Audio files and who may fetch them; what a person sees of themselves. */

import { beforeEach, describe, expect, test } from "vitest";

import { api } from "../../convex/_generated/api.js";
import { PLACE, POSTED, type Caller, type World, begin, finished, refusal, rows, upload, world } from "./world.ts";

let all: World;
beforeEach(() => {
  all = world();
});

const url = (caller: Caller, storageId: string) => caller.query(api.files.getFileUrl, { storageId });

describe("files", () => {
  test("only a worker gets an address to upload to", async () => {
    expect(await all.worker.mutation(api.files.generateUploadUrl, {})).toMatch(/^https?:/);
    for (const caller of [all.asha, all.bot]) await refusal(caller.mutation(api.files.generateUploadUrl, {}), "forbidden");
    await refusal(all.backend.mutation(api.files.generateUploadUrl, {}), "not_authenticated");
  });

  test("the owner, whoever keeps the piece, and the bot get the address; nobody else", async () => {
    const { piece, audio } = await finished(all, all.asha, { delivery: POSTED });
    const address = await url(all.asha, audio);
    expect(address).toMatch(/^https?:/);
    expect(await url(all.bot, audio)).toBe(address);
    await refusal(url(all.ravi, audio), "not_found");
    await refusal(url(all.worker, audio), "forbidden");
    await all.ravi.mutation(api.favorites.set, { generationId: piece, on: true, idempotencyKey: "press 1", place: PLACE });
    expect(await url(all.ravi, audio)).toBe(address);
    await all.ravi.mutation(api.favorites.set, { generationId: piece, on: false, idempotencyKey: "press 2" });
    await refusal(url(all.ravi, audio), "not_found");
  });

  test("a file that belongs to no piece is there for the bot alone", async () => {
    await begin(all.asha);
    const loose = await upload(all);
    expect(await url(all.bot, loose)).toMatch(/^https?:/);
    await refusal(url(all.asha, loose), "not_found");
  });

  test("a file that went with its piece has no address, and what is no file's id is not there", async () => {
    const { piece, audio } = await finished(all, all.asha);
    await all.asha.mutation(api.musicGeneration.remove, { generationId: piece });
    expect(await url(all.bot, audio)).toBeNull();
    await refusal(url(all.asha, audio), "not_found");
    for (const storageId of ["", "nonsense", piece, "x".repeat(10_000)]) {
      await refusal(url(all.bot, storageId), "not_found");
      await refusal(url(all.asha, storageId), "not_found");
    }
  });
});

describe("what has gone", () => {
  test("is told to the bot by the ids of files and pieces, and nothing else is", async () => {
    const [kept, lost] = [await finished(all, all.asha), await finished(all, all.asha)];
    await all.asha.mutation(api.musicGeneration.remove, { generationId: lost.piece });
    const ids = [kept.piece, lost.piece, kept.audio, lost.audio, "nonsense", ""];
    expect(await all.bot.query(api.files.gone, { ids })).toEqual([lost.piece, lost.audio]);
    await refusal(all.bot.query(api.files.gone, { ids: Array<string>(501).fill("x") }), "invalid");
    await refusal(all.asha.query(api.files.gone, { ids }), "forbidden");
  });
});

describe("me", () => {
  const me = (caller: Caller) => caller.query(api.accounts.me, {});

  test("is nobody before the first piece or favorite, and asking makes nobody", async () => {
    expect(await me(all.asha)).toBeNull();
    expect(await rows(all)).toEqual({});
  });

  test("is the caller and their accounts, and no one else", async () => {
    await begin(all.asha);
    await begin(all.ravi);
    const createdAt = expect.any(Number) as number;
    expect(await me(all.asha)).toEqual({
      user: { id: expect.any(String) as string, name: "Asha", createdAt },
      accounts: [{ id: expect.any(String) as string, account: "discord:1", platform: "discord", name: "Asha", createdAt, current: true }],
      quota: {
        pieces: { left: 19, of: 20, everyS: 3600 },
        seconds: { left: 3570, of: 3600, everyS: 86_400 },
        running: 1,
      },
      deleting: false,
      undo: null,
    });
    expect((await me(all.ravi))?.user).toMatchObject({ name: "Ravi" });
    expect((await me(all.ravi))?.user.id).not.toBe((await me(all.asha))?.user.id);
  });

  test("signed in elsewhere: the address only if it was verified, and an account of its own, whatever the subject", async () => {
    const signedIn = (subject: string, more: object) => all.backend.withIdentity({ issuer: "https://accounts.test", subject, ...more });
    const verified = signedIn("u1", { email: "asha@example.org", emailVerified: true, name: "Asha" });
    const claimed = signedIn("discord:1", { email: "asha@example.org", emailVerified: false });
    for (const caller of [all.asha, verified, claimed]) await begin(caller);
    expect(await me(verified)).toMatchObject({ user: { email: "asha@example.org", name: "Asha" }, accounts: [{ platform: "oidc" }] });
    expect((await me(claimed))?.user).not.toHaveProperty("email");
    expect((await me(claimed))?.user.id).not.toBe((await me(all.asha))?.user.id);
    expect(await rows(all)).toMatchObject({ users: 3, accounts: 3 });
  });

  test("shows preferences, and every account of a person who has several", async () => {
    await begin(all.asha);
    await all.backend.run(async (ctx) => {
      const user = await ctx.db.query("users").unique();
      if (user === null) return;
      await ctx.db.patch("users", user._id, { preferences: { tradition: "Carnatic" } });
      await ctx.db.insert("accounts", { account: "telegram:2", userId: user._id, platform: "telegram", createdAt: 1 });
    });
    expect(await me(all.asha)).toMatchObject({ user: { preferences: { tradition: "Carnatic" } }, accounts: [{ account: "discord:1" }, { account: "telegram:2" }] });
    expect((await me(all.ravi))?.user.id).toBe((await me(all.asha))?.user.id);
  });
});
