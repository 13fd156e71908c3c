/** Frames of the sync protocol, as they stand in `convex/src/browser/sync/protocol.ts`, checked when they come in. */

import { HttpError } from "./errors.ts";
import type { Json } from "./values.ts";

export type StateVersion = { querySet: number; identity: number; ts: string };
export type QueryChange =
  | { type: "Add"; queryId: number; udfPath: string; args: unknown; journal?: string | null }
  | { type: "Remove"; queryId: number };
export type ClientFrame =
  | { type: "Connect"; sessionId: string; maxObservedTimestamp?: string }
  | { type: "Authenticate"; tokenType: "User" | "Admin"; value: string; baseVersion: number; impersonating?: unknown }
  | { type: "Authenticate"; tokenType: "None"; baseVersion: number }
  | { type: "ModifyQuerySet"; baseVersion: number; newVersion: number; modifications: QueryChange[] }
  | { type: "Mutation" | "Action"; requestId: number; udfPath: string; args: unknown }
  | { type: "Event" };

export type StateModification =
  | { type: "QueryUpdated"; queryId: number; value: Json; logLines: string[]; journal: string | null }
  | { type: "QueryFailed"; queryId: number; errorMessage: string; logLines: string[]; errorData?: Json; journal: string | null }
  | { type: "QueryRemoved"; queryId: number };
export type ServerFrame =
  | { type: "Transition"; startVersion: StateVersion; endVersion: StateVersion; modifications: StateModification[]; clientClockSkew: number | null; serverTs: number | null }
  | { type: "MutationResponse"; requestId: number; success: true; result: Json; ts: string; logLines: string[] }
  | { type: "MutationResponse"; requestId: number; success: false; result: string; ts: null; logLines: string[]; errorData?: Json }
  | { type: "ActionResponse"; requestId: number; success: true; result: Json; logLines: string[] }
  | { type: "ActionResponse"; requestId: number; success: false; result: string; logLines: string[]; errorData?: Json }
  | { type: "AuthError"; error: string; baseVersion: number; authUpdateAttempted: boolean }
  | { type: "FatalError"; error: string }
  | { type: "Ping" };

export function encodeTs(ts: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(ts);
  return bytes.toString("base64");
}

export function decodeTs(text: unknown): bigint {
  const bytes = typeof text === "string" ? Buffer.from(text, "base64") : Buffer.alloc(0);
  if (bytes.length !== 8) throw new HttpError(400, "BadTimestamp", "A timestamp must be the base64 of 8 bytes.");
  return bytes.readBigUInt64LE();
}

function refuse(what: string): never {
  throw new HttpError(400, "WSMessageInvalidJson", `Received Invalid JSON on websocket: ${what}`);
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function checkChange(change: unknown): void {
  const { type, queryId, udfPath, args, journal } = (change ?? {}) as Record<string, unknown>;
  if (!isCount(queryId)) refuse("queryId must be a number");
  if (type === "Remove") return;
  if (type !== "Add") refuse("unknown type of modification");
  if (typeof udfPath !== "string" || !Array.isArray(args)) refuse("a query needs udfPath and args");
  if (journal !== undefined && journal !== null && typeof journal !== "string") refuse("journal must be a string");
}

/** Read a frame; what breaks the protocol is refused as the client's fault. */
export function parseFrame(text: string): ClientFrame {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse("not JSON");
  }
  if (typeof json !== "object" || json === null) return refuse("not an object");
  const frame = json as Record<string, unknown>;
  switch (frame["type"]) {
    case "Connect":
      if (typeof frame["sessionId"] !== "string" || frame["sessionId"].length > 128) refuse("sessionId must be a string");
      break;
    case "Authenticate":
      if (!isCount(frame["baseVersion"])) refuse("baseVersion must be a number");
      if (frame["tokenType"] !== "None" && typeof frame["value"] !== "string") refuse("a token must be a string");
      if (!["None", "User", "Admin"].includes(String(frame["tokenType"]))) refuse("unknown tokenType");
      break;
    case "ModifyQuerySet":
      if (!isCount(frame["baseVersion"]) || !isCount(frame["newVersion"]) || !Array.isArray(frame["modifications"])) {
        refuse("ModifyQuerySet needs baseVersion, newVersion, modifications");
      }
      (frame["modifications"] as unknown[]).forEach(checkChange);
      break;
    case "Mutation":
    case "Action":
      if (!isCount(frame["requestId"]) || typeof frame["udfPath"] !== "string" || !Array.isArray(frame["args"])) {
        refuse(`${frame["type"]} needs requestId, udfPath, args`);
      }
      break;
    case "Event":
      break;
    default:
      refuse(`unknown type ${typeof frame["type"] === "string" ? frame["type"].slice(0, 100) : ""}`);
  }
  return frame as ClientFrame;
}
