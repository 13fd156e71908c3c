/** Audio files in Convex's storage. */
import { v } from "convex/values";
import type { Doc, Id } from "./_generated/dataModel";
import type { QueryCtx } from "./_generated/server";
import { userOrBotQuery, workerMutation } from "./callers";
import { knownUser } from "./model/people";
import { pieceWithFile } from "./model/pieces";
import { sightOf } from "./model/sight";
import { notFound } from "./refusals";

/** An address to which a worker posts one audio file within the hour. */
export const generateUploadUrl = workerMutation({
  args: {},
  returns: v.string(),
  handler: (ctx) => ctx.storage.generateUploadUrl(),
});

async function mayHear(ctx: QueryCtx, user: Doc<"users"> | null, file: Id<"_storage">): Promise<boolean> {
  const piece = user === null ? null : await pieceWithFile(ctx, file);
  return user !== null && piece !== null && (await sightOf(ctx, user._id, piece)) !== null;
}

/** Where a file can be fetched: any file for the bot, for a user that of a piece which they own or keep, or which is shared with them. */
export const getFileUrl = userOrBotQuery({
  args: { storageId: v.string() },
  returns: v.union(v.string(), v.null()),
  handler: async (ctx, { storageId }, caller) => {
    const file = ctx.db.system.normalizeId("_storage", storageId);
    if (file === null) throw notFound();
    if ("account" in caller && !(await mayHear(ctx, await knownUser(ctx, caller), file))) throw notFound();
    return ctx.storage.getUrl(file);
  },
});
