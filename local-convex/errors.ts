/** What can go wrong, sorted by who has to hear of it. */

/** A mistake of the calling function or client: the message is shown to it. */
export class DeveloperError extends Error {
  override name = "DeveloperError";
}

/** An error thrown by a function with data of its own (`ConvexError`), on its way through a calling function. */
export class FunctionError extends Error {
  override name = "FunctionError";
  /** The `ConvexError`'s data as Convex JSON, absent for every other error. */
  readonly data: unknown;

  constructor(message: string, data?: unknown) {
    super(message);
    this.data = data;
  }
}

/** A request that is answered with a status and `{code, message}`. */
export class HttpError extends Error {
  override name = "HttpError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Something that keeps the deployment from starting; the message is one sentence for the person at the terminal. */
export class StartError extends Error {
  override name = "StartError";
}

/** The message of anything thrown; errors of the functions' realm are no `Error` of this one. Never throws itself. */
export function messageOf(thrown: unknown): string {
  try {
    const message = typeof thrown === "object" && thrown !== null ? (thrown as { message?: unknown }).message : undefined;
    return typeof message === "string" ? message : String(thrown);
  } catch {
    return "something that cannot be read";
  }
}

/** How an error thrown by a function reads, with the data of a `ConvexError`. Never throws itself. */
export function describeThrown(thrown: unknown): { message: string; data?: string } {
  if (typeof thrown !== "object" || thrown === null) return { message: `Uncaught ${String(thrown)}` };
  try {
    const { name, message, data, ConvexErrorSymbol } = thrown as { name?: unknown; message?: unknown; data?: unknown; ConvexErrorSymbol?: unknown };
    const parts = [name, message].filter((part) => typeof part === "string" && part !== "");
    const text = parts.length === 0 ? "Uncaught" : `Uncaught ${parts.join(": ")}`;
    return ConvexErrorSymbol !== undefined && typeof data === "string" ? { message: text, data } : { message: text };
  } catch {
    return { message: "Uncaught something that cannot be read" };
  }
}
