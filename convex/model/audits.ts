/** Who changed what in a group, or everywhere. */
import { v, type Infer } from "convex/values";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { BotCaller, GroupAdminCaller } from "../callers";
import { auditAction, auditDetails } from "./groupTables";
import { named } from "./notices";
import { person } from "./makers";

/** What is kept where somebody's account was. */
export const SOMEBODY = "somebody";

export const auditView = v.object({
  action: auditAction,
  /** Null for the operator, and for somebody who is deleted since. */
  by: v.union(person, v.null()),
  /** The name of whom it was done to, where that was given. */
  whom: v.optional(v.string()),
  details: auditDetails,
  createdAt: v.number(),
});

interface Change {
  group: string;
  action: Infer<typeof auditAction>;
  subject?: string | undefined;
  subjectName?: string | undefined;
  details?: Infer<typeof auditDetails>;
}

export async function write(ctx: MutationCtx, caller: GroupAdminCaller | BotCaller, { details = {}, ...change }: Change): Promise<void> {
  const by = "account" in caller ? { account: caller.account, name: caller.name } : { account: `bot:${caller.bot}` };
  await ctx.db.insert("audit", { ...change, ...by, details, createdAt: Date.now() });
}

export function auditViewOf({ action, account, name, subjectName, details, createdAt }: Doc<"audit">): Infer<typeof auditView> {
  const colon = account.indexOf(":");
  const known = account !== SOMEBODY && !account.startsWith("bot:");
  return {
    action,
    by: known ? named({ platform: account.slice(0, colon), name }) : null,
    whom: subjectName,
    details,
    createdAt,
  };
}
