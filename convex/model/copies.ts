/** What is kept of somebody, as they get it in a copy of their own: plain, and without ids of others. */
import { v, type Infer } from "convex/values";
import type { PaginationOptions, PaginationResult } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { pageOf } from "../limits";
import { ownerNamed } from "./playlists";
import { titleOf } from "./makers";

export const section = v.union(
  v.literal("pieces"),
  v.literal("favorites"),
  v.literal("corrections"),
  v.literal("shares"),
  v.literal("opened"),
  v.literal("playlists"),
  v.literal("entries"),
);

const plain = v.union(v.string(), v.number(), v.boolean(), v.null());
export const row = v.record(v.string(), v.union(plain, v.record(v.string(), v.any())));
type Row = Infer<typeof row>;

/** Without the fields that are not set: a record has no room for them. */
function given(fields: object): Row {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Row;
}

async function titled(ctx: QueryCtx, id: Id<"musicGenerations">, userId: Id<"users">): Promise<string> {
  const piece = await ctx.db.get("musicGenerations", id);
  return piece === null ? "A piece that is gone" : titleOf(piece, piece.userId === userId);
}

async function playlistRow(ctx: QueryCtx, { playlistId, role, createdAt }: Doc<"playlistMembers">): Promise<Row> {
  const playlist = await ctx.db.get("playlists", playlistId);
  return given({ name: playlist?.name, role, owner: (await ownerNamed(ctx, playlistId)) ?? undefined, createdAt });
}

/** One page of one section. */
export async function copied(
  ctx: QueryCtx,
  which: Infer<typeof section>,
  userId: Id<"users">,
  paginationOpts: PaginationOptions,
): Promise<PaginationResult<Row>> {
  async function page<T extends object>(
    read: (options: PaginationOptions) => Promise<PaginationResult<T>>,
    shown: (one: T) => Row | Promise<Row>,
  ): Promise<PaginationResult<Row>> {
    const found = await pageOf(paginationOpts, read);
    return { ...found, page: await Promise.all(found.page.map(async (one) => shown(one))) };
  }
  switch (which) {
    case "pieces":
      return page(
        (options) => ctx.db.query("musicGenerations").withIndex("by_user", (q) => q.eq("userId", userId)).paginate(options),
        ({ userId: _, idempotencyKey: __, _creationTime: ___, _id, ...piece }) => given({ id: _id, ...piece }),
      );
    case "favorites":
      return page(
        (options) => ctx.db.query("favorites").withIndex("by_user", (q) => q.eq("userId", userId)).paginate(options),
        ({ userId: _, _id: __, _creationTime: ___, ...favorite }) => given(favorite),
      );
    case "corrections":
      return page(
        (options) => ctx.db.query("corrections").withIndex("by_user", (q) => q.eq("userId", userId)).paginate(options),
        // Who decided on a report is somebody else.
        ({ userId: _, decidedBy: __, _id: ___, _creationTime: ____, ...report }) => given(report),
      );
    case "shares":
      return page(
        (options) => ctx.db.query("shares").withIndex("by_user", (q) => q.eq("userId", userId)).paginate(options),
        async ({ generationId, token, createdAt }) => given({ title: await titled(ctx, generationId, userId), token, createdAt }),
      );
    case "opened":
      return page(
        (options) => ctx.db.query("shareGuests").withIndex("by_user_and_generation", (q) => q.eq("userId", userId)).paginate(options),
        async ({ generationId, createdAt }) => given({ title: await titled(ctx, generationId, userId), createdAt }),
      );
    case "playlists":
      return page(
        (options) => ctx.db.query("playlistMembers").withIndex("by_user", (q) => q.eq("userId", userId)).paginate(options),
        (member) => playlistRow(ctx, member),
      );
    case "entries":
      return page(
        (options) => ctx.db.query("playlistEntries").withIndex("by_user", (q) => q.eq("userId", userId)).paginate(options),
        async ({ playlistId, generationId, createdAt }) => {
          const playlist = await ctx.db.get("playlists", playlistId);
          return given({ playlist: playlist?.name, title: await titled(ctx, generationId, userId), createdAt });
        },
      );
  }
}
