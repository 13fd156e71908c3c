/** What somebody has, page by page. */
import type { DocumentByInfo, GenericTableInfo, PaginationOptions, PaginationResult, Query } from "convex/server";
import type { Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import type { UserCaller } from "../callers";
import { pageOf } from "../limits";
import { knownUser } from "./people";

/** A page of a table's rows that are the caller's, newest first; empty for somebody whom we do not know yet. */
export async function ownPage<Table extends GenericTableInfo>(
  ctx: QueryCtx,
  caller: UserCaller,
  options: PaginationOptions,
  ownedBy: (userId: Id<"users">) => Query<Table>,
): Promise<PaginationResult<DocumentByInfo<Table>>> {
  const user = await knownUser(ctx, caller);
  return pageOf(options, async (checked) =>
    user === null
      ? { page: [], isDone: true, continueCursor: "" }
      : ownedBy(user._id).order("desc").paginate(checked),
  );
}
