/** How people are named to each other: by platform and display name, never by an id. */
import { v, type Infer } from "convex/values";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { accountOf } from "./people";
import { named } from "./notices";

export const person = v.object({ platform: v.string(), name: v.string() });
export type Person = Infer<typeof person>;

/** A user by one of their accounts, `account` if it is still theirs; null for somebody who has none here yet. */
export async function personOf(ctx: QueryCtx, userId: Id<"users">, account?: string): Promise<Person | null> {
  const meant = account === undefined ? null : await accountOf(ctx, account);
  if (meant?.userId === userId) return named(meant);
  const any = await ctx.db
    .query("accounts")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .first();
  return any === null ? null : named(any);
}

/** Who had a piece made. */
export function makerOf(ctx: QueryCtx, piece: Doc<"musicGenerations">): Promise<Person | null> {
  return personOf(ctx, piece.userId, piece.account);
}

/** What a piece is called; the name that its owner gave it is for those who may see it. */
export function titleOf({ title, metadata, request }: Doc<"musicGenerations">, seen = true): string {
  return (seen ? title : undefined) ?? metadata?.title ?? request.raga ?? "A piece";
}
