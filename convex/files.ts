/** Audio files in Convex's storage. */
import { v } from "convex/values";
import type { Doc, Id } from "./_generated/dataModel";
import type { QueryCtx } from "./_generated/server";
import { botQuery, userOrBotQuery, workerMutation } from "./callers";
import { knownUser } from "./model/people";
import { pieceWithFile } from "./model/pieces";
import { sightOf } from "./model/sight";
import { invalid, notFound } from "./refusals";

const IDS_MAX = 500;

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

/**
 * Which of these ids of files and pieces stand for nothing any more, so that a bot lets go of what it has kept of them.
 * What is no id of this deployment is not among them.
 */
export const gone = botQuery({
  args: { ids: v.array(v.string()) },
  returns: v.array(v.string()),
  handler: async (ctx, { ids }) => {
    if (ids.length > IDS_MAX) throw invalid(`Please ask for at most ${String(IDS_MAX)} ids at once.`);
    const left = await Promise.all(
      ids.map(async (given) => {
        const file = ctx.db.system.normalizeId("_storage", given);
        if (file !== null) return (await ctx.db.system.get("_storage", file)) === null;
        const piece = ctx.db.normalizeId("musicGenerations", given);
        return piece !== null && (await ctx.db.get("musicGenerations", piece)) === null;
      }),
    );
    return ids.filter((_, number) => left[number]);
  },
});
