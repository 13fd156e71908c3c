/** The HTTP server: function calls, file storage, HTTP actions, and the door to the sync protocol. */

import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

import type { ActionRunner } from "./actions.ts";
import type { Callers } from "./callers.ts";
import type { Call, Engine, Failed, Result } from "./engine.ts";
import { HttpError, StartError, messageOf } from "./errors.ts";
import { type Router, serveHttpAction } from "./http_actions.ts";
import { readBody, requestMetadata, sendError, sendJson } from "./http_messages.ts";
import { decodeTs, encodeTs } from "./protocol.ts";
import { parsePath } from "./registry.ts";
import { serveStorage } from "./storage_routes.ts";
import type { Subscriptions } from "./subscriptions.ts";
import { SyncSession, newRequestId, publicMessage } from "./sync.ts";
import { type Json, type Value, encode, encodeClean } from "./values.ts";

export type Deployment = { engine: Engine; subscriptions: Subscriptions; callers: Callers; actions: ActionRunner; router: Router | null };
type Exchange = { request: IncomingMessage; response: ServerResponse; url: URL; deployment: Deployment };

const MAX_FRAME_BYTES = 32 << 20;
const KEEP_ALIVE_MS = 75_000;
const VERSION = "local-convex";
const GREETING = "This is a local Convex deployment. Its functions are called by Convex clients; there is no page to see here.\n";
const CORS_MAX_AGE_S = 86_400;

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = (await readBody(request)).toString("utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw new HttpError(400, "BadJsonBody", `Failed to parse the request body as JSON: ${messageOf(thrown).slice(0, 200)}`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new HttpError(400, "BadJsonBody", "Failed to deserialize the JSON body into the target type: expected an object");
  }
  return json as Record<string, unknown>;
}

function required(body: Record<string, unknown>, name: string): unknown {
  if (body[name] === undefined) throw new HttpError(400, "BadJsonBody", `Failed to deserialize the JSON body into the target type: missing field \`${name}\``);
  return body[name];
}

/** How values are to be written in the answer. */
function exporter(format: unknown, fallback: "encoded" | "clean"): (value: Value) => Json {
  switch (format) {
    case undefined:
    case null:
      return fallback === "clean" ? encodeClean : encode;
    case "convex_encoded_json":
    case "convex_json":
      return encode;
    case "json":
    case "convex_clean_json":
      return encodeClean;
    default:
      throw new HttpError(400, "BadFormat", `format param must be one of [\`json\`]. Got ${typeof format === "string" ? format.slice(0, 100) : typeof format}`);
  }
}

function answerBody(result: Result, requestId: string, toJson: (value: Value) => Json): Json {
  if (result.ok) return { status: "success", value: toJson(result.value) };
  const failed: Failed = result;
  const body: { [key: string]: Json } = { status: "error", errorMessage: publicMessage(requestId, failed) };
  if (failed.data !== undefined) body["errorData"] = toJson(failed.data);
  return body;
}

type Kind = "query" | "mutation" | "action" | "any";

async function runFunction({ engine }: Deployment, kind: Kind, call: Call): Promise<Result> {
  const found = kind === "any" ? engine.registry.find(call.path)?.type : kind;
  if (found === "mutation") return (await engine.runMutation(call)).result;
  if (found === "action") return engine.runAction(call);
  return (await engine.runQuery(call)).result;
}

/** Clients of Convex itself say so and expect the lossless encoding; others get the readable one. */
function fallbackFormat(request: IncomingMessage): "encoded" | "clean" {
  return /^(npm|python|rust)-/.test(String(request.headers["convex-client"] ?? "")) ? "encoded" : "clean";
}

async function callFunction(exchange: Exchange, kind: Kind, body: Record<string, unknown>, fallback: "encoded" | "clean"): Promise<void> {
  const { request, response, deployment } = exchange;
  const requestId = newRequestId();
  const path = parsePath(required(body, "path"));
  const args = required(body, "args");
  const toJson = exporter(body["format"], fallback);
  const identity = await deployment.callers.fromHeader(request.headers.authorization);
  if (typeof body["componentPath"] === "string" && body["componentPath"] !== "") {
    throw new HttpError(400, "NoComponents", "This local deployment has no components.");
  }
  const call: Call = { path, args, identity, request: requestMetadata(request, requestId), internal: false };
  sendJson(response, 200, answerBody(await runFunction(deployment, kind, call), requestId, toJson));
}

async function queryBatch(exchange: Exchange): Promise<void> {
  const { request, response, deployment } = exchange;
  const body = await readJson(request);
  const queries = required(body, "queries");
  if (!Array.isArray(queries)) throw new HttpError(400, "BadJsonBody", "Failed to deserialize the JSON body into the target type: queries must be a list");
  const identity = await deployment.callers.fromHeader(request.headers.authorization);
  const results: Json[] = [];
  for (const given of queries as unknown[]) {
    if (typeof given !== "object" || given === null) throw new HttpError(400, "BadJsonBody", "Failed to deserialize the JSON body into the target type: a query must be an object");
    const query = given as Record<string, unknown>;
    const requestId = newRequestId();
    const toJson = exporter(query["format"], fallbackFormat(request));
    const call: Call = { path: parsePath(query["path"]), args: query["args"], identity, request: requestMetadata(request, requestId), internal: false };
    results.push(answerBody(await runFunction(deployment, "query", call), requestId, toJson));
  }
  sendJson(response, 200, { results });
}

async function queryFromUrl(exchange: Exchange): Promise<void> {
  const { url, request } = exchange;
  let args: unknown;
  try {
    args = JSON.parse(url.searchParams.get("args") ?? "{}");
  } catch (thrown) {
    throw new HttpError(400, "BadQueryArgs", `Failed to deserialize query string: ${messageOf(thrown)}`);
  }
  const body = { path: url.searchParams.get("path") ?? undefined, args, format: url.searchParams.get("format") ?? undefined };
  await callFunction(exchange, "query", body, fallbackFormat(request));
}

async function runByUrl(exchange: Exchange, path: string): Promise<void> {
  let parts: string[];
  try {
    parts = path.split("/").map(decodeURIComponent);
  } catch {
    parts = [];
  }
  const name = parts.pop();
  if (parts.length === 0 || name === undefined || name === "") {
    throw new HttpError(400, "MissingIdentifier", "Path or function name not provided in path, e.g. /api/run/messages/list");
  }
  const body = await readJson(exchange.request);
  await callFunction(exchange, "any", { ...body, path: `${parts.join("/")}:${name}` }, "clean");
}

async function post(exchange: Exchange, endpoint: string): Promise<boolean> {
  const { request, response, deployment } = exchange;
  if (endpoint.startsWith("run/")) {
    await runByUrl(exchange, endpoint.slice("run/".length));
    return true;
  }
  switch (endpoint) {
    case "query":
    case "mutation":
    case "action":
      await callFunction(exchange, endpoint, await readJson(request), fallbackFormat(request));
      return true;
    case "function":
      await callFunction(exchange, "any", await readJson(request), fallbackFormat(request));
      return true;
    case "query_ts":
      request.resume();
      sendJson(response, 200, { ts: encodeTs(deployment.engine.ts) });
      return true;
    case "query_at_ts": {
      const body = await readJson(request);
      // Only the newest state is kept. A client that asks for consistency gets one that is at least as new.
      if (decodeTs(required(body, "ts")) > deployment.engine.ts) throw new HttpError(400, "BadTimestamp", "The timestamp is in the future.");
      await callFunction(exchange, "query", body, fallbackFormat(request));
      return true;
    }
    case "query_batch":
      await queryBatch(exchange);
      return true;
    default:
      return false;
  }
}

function allowOrigin({ request, response }: { request: IncomingMessage; response: ServerResponse }): void {
  const { origin } = request.headers;
  response.setHeader("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  if (origin === undefined) return;
  response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Access-Control-Allow-Credentials", "true");
  response.setHeader("Access-Control-Expose-Headers", "Content-Range, Digest, ETag");
}

function answerPreflight({ request, response }: { request: IncomingMessage; response: ServerResponse }): void {
  response.setHeader("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD");
  const wanted = request.headers["access-control-request-headers"];
  if (wanted !== undefined) response.setHeader("Access-Control-Allow-Headers", wanted);
  response.setHeader("Access-Control-Max-Age", String(CORS_MAX_AGE_S));
  response.writeHead(200).end();
}

async function serve(exchange: Exchange): Promise<void> {
  const { request, response, url, deployment } = exchange;
  const { pathname } = url;
  const method = request.method ?? "GET";
  if (pathname === "/http" || pathname.startsWith("/http/")) {
    await serveHttpAction(request, response, url, pathname.slice("/http".length) || "/", deployment);
    return;
  }
  allowOrigin(exchange);
  if (method === "OPTIONS") {
    answerPreflight(exchange);
    return;
  }
  const isReading = method === "GET" || method === "HEAD";
  if (isReading && (pathname === "/" || pathname === "/version" || pathname === "/instance_name")) {
    const texts: Record<string, string> = { "/": GREETING, "/version": VERSION, "/instance_name": deployment.engine.deploymentName };
    response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" }).end(method === "HEAD" ? undefined : texts[pathname]);
    return;
  }
  if (pathname.startsWith("/api/storage/")) {
    await serveStorage(request, response, url, deployment.engine);
    return;
  }
  const endpoint = pathname.startsWith("/api/") ? pathname.slice("/api/".length) : null;
  if (endpoint === "query" && isReading) return queryFromUrl(exchange);
  if (endpoint === "query_ts" && isReading) {
    sendJson(response, 200, { ts: encodeTs(deployment.engine.ts) });
    return;
  }
  if (endpoint !== null && method === "POST" && (await post(exchange, endpoint))) return;
  const isKnown = endpoint !== null && /^(query|mutation|action|function|query_at_ts|query_batch|run\/.*)$/.test(endpoint);
  if (isKnown) throw new HttpError(405, "MethodNotAllowed", `${method} is not allowed here; use POST.`);
  throw new HttpError(404, "NotFound", `There is nothing at ${pathname}.`);
}

const SYNC_PATH = /^\/api\/(?:[^/]+\/)?sync$/;

/** Listens from the first moment on; until the deployment is given, everything is answered with 503. */
export class HttpServer {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  #deployment: Deployment | null = null;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#respond(request, response);
    });
    // Longer than clients keep their idle connections: the one they take up again must not just be closing here.
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      const path = (request.url ?? "").split("?")[0] ?? "";
      const deployment = this.#deployment;
      if (deployment === null || !SYNC_PATH.test(path)) {
        socket.end(`HTTP/1.1 ${deployment === null ? "503 Service Unavailable" : "404 Not Found"}\r\nConnection: close\r\n\r\n`);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        new SyncSession(webSocket, deployment, { ip: request.socket.remoteAddress ?? null, userAgent: request.headers["user-agent"] ?? null });
      });
    });
    this.#server.on("clientError", (_, socket) => {
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    const deployment = this.#deployment;
    if (deployment === null) {
      sendError(response, new HttpError(503, "NotReady", "The deployment is starting. Please try again in a moment."));
      return;
    }
    let url: URL;
    try {
      url = new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`);
    } catch {
      sendError(response, new HttpError(400, "BadUrl", "The address cannot be read."));
      return;
    }
    serve({ request, response, url, deployment }).catch((thrown: unknown) => {
      sendError(response, thrown);
    });
  }

  /** @returns the port; @throws StartError when it is taken */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code === "EADDRINUSE" ? "is used by another program; choose another one with --port (0 picks a free one)" : `cannot be used: ${error.message}`;
        reject(new StartError(`Port ${String(port)} on ${host} ${reason}.`));
      });
      this.#server.listen(port, host, () => {
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  open(deployment: Deployment): void {
    this.#deployment = deployment;
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.close(1001, "the deployment is stopping");
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#sockets.clients) socket.terminate();
  }
}
