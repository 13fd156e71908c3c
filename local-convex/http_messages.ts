/** Reading requests and writing answers. */

import type { IncomingMessage, ServerResponse } from "node:http";

import { HttpError, messageOf } from "./errors.ts";
import type { RequestMetadata } from "./syscalls.ts";
import type { Json } from "./values.ts";

/** Arguments may have 16 MiB as values; their JSON is somewhat larger. */
const MAX_BODY_BYTES = 32 << 20;

export function sendJson(response: ServerResponse, status: number, body: Json | object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

export function sendError(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (thrown instanceof HttpError) {
    // Whoever is sent away before the body was read must not go on sending it.
    response.setHeader("Connection", "close");
    sendJson(response, thrown.status, { code: thrown.code, message: thrown.message });
    return;
  }
  process.stderr.write(`request: ${messageOf(thrown)}\n`);
  sendJson(response, 500, { code: "InternalServerError", message: "Your request couldn't be completed. Try again later." });
}

/** Read a whole body, up to a bound. */
export async function readBody(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<Buffer> {
  const tooLarge = (): HttpError => new HttpError(413, "RequestTooLarge", `The request's body is too large (${String(maxBytes)} bytes at most).`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function requestMetadata(request: IncomingMessage, requestId: string): RequestMetadata {
  return { ip: request.socket.remoteAddress ?? null, userAgent: request.headers["user-agent"] ?? null, requestId, scheduledFunctionId: null };
}
