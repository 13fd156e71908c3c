/** HTTP actions: the routes of `http.ts`, served under `/http`. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { HttpRequest } from "./action_messages.ts";
import type { HttpAnswer } from "./actions.ts";
import { NOBODY } from "./identity.ts";
import type { Deployment } from "./http.ts";
import { readBody, requestMetadata, sendJson } from "./http_messages.ts";
import { newRequestId, publicMessage } from "./sync.ts";

export const HTTP_MODULE = "http";
const MAX_BODY_BYTES = 20 << 20;

export type Router = { isRouter: true; lookup: (path: string, method: string) => unknown };

/** The router that `http.ts` exports, null when it exports none. */
export function readRouter(exported: unknown): Router | null {
  return (exported as Partial<Router> | undefined)?.isRouter === true ? (exported as Router) : null;
}

async function readRequest(request: IncomingMessage, url: URL, path: string): Promise<HttpRequest> {
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) headers.push([request.rawHeaders[i] as string, request.rawHeaders[i + 1] as string]);
  const method = request.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
  const body = hasBody ? new Uint8Array(await readBody(request, MAX_BODY_BYTES)) : null;
  return { url: new URL(`${path}${url.search}`, url).href, method, headers, body };
}

async function send(response: ServerResponse, answer: HttpAnswer & { ok: true }, isHead: boolean): Promise<void> {
  const headers: Record<string, string | string[]> = {};
  const cookies: string[] = [];
  for (const [name, value] of answer.headers) {
    if (name === "set-cookie") cookies.push(value);
    else headers[name] = value;
  }
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  response.writeHead(answer.status, headers);
  if (answer.body === null || isHead) {
    await answer.body?.cancel();
    response.end();
    return;
  }
  await pipeline(Readable.fromWeb(answer.body), response, { signal: answer.died }).catch(() => response.destroy());
}

export async function serveHttpAction(request: IncomingMessage, response: ServerResponse, url: URL, path: string, deployment: Deployment): Promise<void> {
  const { router } = deployment;
  if (router === null) {
    response.writeHead(404, { "Content-Type": "text/plain" }).end("This Convex deployment does not have HTTP actions enabled.");
    return;
  }
  const isHead = request.method === "HEAD";
  if (router.lookup(path, isHead ? "GET" : (request.method ?? "GET")) === null) {
    response.writeHead(404, { "Content-Type": "text/plain" }).end(isHead ? undefined : "No matching routes found");
    return;
  }
  // The header may carry something of the application's own: only a token that holds makes an identity.
  const identity = await deployment.callers.fromHeader(request.headers.authorization).catch(() => NOBODY);
  const requestId = newRequestId();
  const answer = await deployment.actions.runHttp(HTTP_MODULE, path, await readRequest(request, url, path), identity, requestMetadata(request, requestId));
  if (answer.ok) {
    await send(response, answer, isHead);
    return;
  }
  const code = publicMessage(requestId, { ok: false, message: answer.message }).replace("\n", ": ");
  sendJson(response, 500, answer.data === undefined ? { code, trace: answer.message } : { code, trace: answer.message, data: JSON.parse(answer.data) as object });
}
