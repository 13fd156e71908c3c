/** Keeping and letting go. */
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { NAME_MAX, text } from "../limits";
import { notFound } from "../refusals";
import { favoriteOf } from "./pieces";
import type { Sight } from "./sight";

/** Sets (null: toggles) the user's heart on a piece that they may see; returns what it is now. */
export async function heartPiece(
  ctx: MutationCtx,
  user: Doc<"users">,
  { piece, own }: Pick<Sight, "piece" | "own">,
  wanted: boolean | null,
): Promise<boolean> {
  const favorite = await favoriteOf(ctx, user._id, piece._id);
  const on = wanted ?? favorite === null;
  if (on && favorite === null) {
    await ctx.db.insert("favorites", {
      userId: user._id,
      kind: "generation",
      generationId: piece._id,
      createdAt: Date.now(),
    });
  } else if (!on && favorite !== null) {
    await ctx.db.delete("favorites", favorite._id);
  }
  if (own && piece.isFavorite !== on) await ctx.db.patch("musicGenerations", piece._id, { isFavorite: on });
  return on;
}

/** The same for a raga. Only a raga of the catalogue can be kept; letting go needs none. */
export async function heartRaga(
  ctx: MutationCtx,
  user: Doc<"users">,
  name: string,
  tradition: Doc<"ragas">["tradition"],
  wanted: boolean | null,
): Promise<boolean> {
  text("The raga's name", name, NAME_MAX);
  const favorite = await ctx.db
    .query("favorites")
    .withIndex("by_user_and_raga", (q) =>
      q.eq("userId", user._id).eq("raga", name).eq("tradition", tradition),
    )
    .unique();
  const on = wanted ?? favorite === null;
  if (on && favorite === null) {
    const raga = await ctx.db
      .query("ragas")
      .withIndex("by_name_and_tradition", (q) => q.eq("name", name).eq("tradition", tradition))
      .first();
    if (raga === null) throw notFound();
    await ctx.db.insert("favorites", {
      userId: user._id,
      kind: "raga",
      raga: name,
      tradition,
      createdAt: Date.now(),
    });
  } else if (!on && favorite !== null) {
    await ctx.db.delete("favorites", favorite._id);
  }
  return on;
}
