import { ConvexError } from "convex/values";

export type RefusalCode =
  | "not_authenticated"
  | "not_found"
  | "forbidden"
  | "invalid"
  | "too_many"
  | "conflict"
  | "last_account"
  | "deleting";

/** An error meant for the caller: Convex hands its data through in production, where other errors are hidden. */
export function refusal(code: RefusalCode, message: string): ConvexError<{ code: RefusalCode; message: string }> {
  return new ConvexError({ code, message });
}

export const notAuthenticated = () => refusal("not_authenticated", "Not authenticated");

/** One answer for what is not there and for what is somebody else's, so that ids cannot be probed. */
export const notFound = () => refusal("not_found", "Not found or not authorized");

export const forbidden = (message: string) => refusal("forbidden", message);

export const invalid = (message: string) => refusal("invalid", message);
