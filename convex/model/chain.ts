/** From a piece back to the one that all of them were made after. */
import { v, type Infer } from "convex/values";
import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import type { UserCaller } from "../callers";
import { makerOf, person, titleOf } from "./makers";
import { sightIn, type Sight } from "./sight";

/** So many steps back are shown. */
const CHAIN_MAX = 20;

/** A piece of a chain; its id, and the name that its owner gave it, only where the caller may see it. */
export const link = v.object({
  title: v.string(),
  raga: v.optional(v.string()),
  by: v.union(person, v.null()),
  own: v.boolean(),
  generationId: v.optional(v.id("musicGenerations")),
});

export async function chainFrom(
  ctx: QueryCtx,
  caller: UserCaller,
  user: Doc<"users"> | null,
  first: Sight,
  place?: { platform: string; chat: string },
): Promise<Infer<typeof link>[]> {
  const chain: Infer<typeof link>[] = [];
  let piece: Doc<"musicGenerations"> | null = first.piece;
  while (piece !== null && chain.length < CHAIN_MAX) {
    const sight: Sight | null = piece._id === first.piece._id ? first : await sightIn(ctx, caller, user, piece, place);
    chain.push({
      title: titleOf(piece, sight !== null),
      raga: piece.request.raga,
      by: await makerOf(ctx, piece),
      own: sight?.own ?? false,
      ...(sight === null ? {} : { generationId: piece._id }),
    });
    const { after }: Doc<"musicGenerations">["request"] = piece.request;
    piece = after === undefined ? null : await ctx.db.get("musicGenerations", after);
  }
  return chain;
}
