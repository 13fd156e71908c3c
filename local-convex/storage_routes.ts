/** Uploading and serving stored files. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

import type { Engine } from "./engine.ts";
import { HttpError } from "./errors.ts";
import type { StoredFile } from "./files.ts";
import { sendJson } from "./http_messages.ts";

const MAX_CACHE_AGE_S = 60 * 60 * 24 * 30;

/** The hash in a `Digest: sha-256=<base64>` header. */
function digestOf(request: IncomingMessage): string | undefined {
  const header = request.headers["digest"];
  if (typeof header !== "string") return undefined;
  const [, digest] = /^sha-256=([A-Za-z0-9+/]+=*)$/i.exec(header.trim()) ?? [];
  if (digest === undefined) throw new HttpError(400, "BadHeader", "Bad header for digest: expected sha-256=<base64>");
  return digest;
}

async function upload(request: IncomingMessage, response: ServerResponse, url: URL, engine: Engine): Promise<void> {
  const { files } = engine;
  files.checkUploadToken(url.searchParams.get("token") ?? "");
  const expected = digestOf(request);
  const blob = await files.receive(request);
  const announced = request.headers["content-length"];
  if (announced !== undefined && Number(announced) !== blob.size) {
    files.discard(blob.uuid);
    throw new HttpError(400, "ContentLengthMismatch", "The body is shorter than its Content-Length.");
  }
  files.checkHash(blob, expected);
  const contentType = request.headers["content-type"] ?? null;
  const storageId = await engine.write((transaction) => files.adopt(transaction, blob, contentType));
  sendJson(response, 200, { storageId });
}

type Range = { start: number; end: number };

/** The one range that a `Range` header asks for; null when it asks for none that can be told. */
function readRange(header: string, size: number): Range | "unsatisfiable" | null {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header.trim()) ?? [];
  if (from === undefined || to === undefined) return header.startsWith("bytes=") && header.includes(",") ? "unsatisfiable" : null;
  if (from === "" && to === "") return null;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return start > end || start >= size ? "unsatisfiable" : { start, end };
}

async function serveFile(request: IncomingMessage, response: ServerResponse, file: StoredFile, engine: Engine): Promise<void> {
  const etag = `"${file.sha256}"`;
  const headers: Record<string, string | number> = {
    "Accept-Ranges": "bytes",
    "Cache-Control": `private, max-age=${String(MAX_CACHE_AGE_S)}`,
    "Content-Type": file.contentType ?? "application/octet-stream",
    ETag: etag,
    // Uploaded by anyone, shown from this origin: no browser shall take it for something else than it says.
    "X-Content-Type-Options": "nosniff",
  };
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const { range } = request.headers;
  const isFresh = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
  const wanted = range === undefined || !isFresh ? null : readRange(range, file.size);
  if (wanted === "unsatisfiable") {
    response.writeHead(416, { ...headers, "Content-Range": `bytes */${String(file.size)}` }).end();
    return;
  }
  const { start, end } = wanted ?? { start: 0, end: file.size - 1 };
  headers["Content-Length"] = end - start + 1;
  if (wanted === null) headers["Digest"] = `sha-256=${Buffer.from(file.sha256, "hex").toString("base64")}`;
  else headers["Content-Range"] = `bytes ${String(start)}-${String(end)}/${String(file.size)}`;
  response.writeHead(wanted === null ? 200 : 206, headers);
  if (request.method === "HEAD" || file.size === 0) {
    response.end();
    return;
  }
  await pipeline(engine.files.stream(file.uuid, start, end), response).catch(() => response.destroy());
}

export async function serveStorage(request: IncomingMessage, response: ServerResponse, url: URL, engine: Engine): Promise<void> {
  const name = url.pathname.slice("/api/storage/".length);
  const { method } = request;
  if (name === "upload") {
    if (method !== "POST") throw new HttpError(405, "MethodNotAllowed", "Files are uploaded with POST.");
    await upload(request, response, url, engine);
    return;
  }
  if (method !== "GET" && method !== "HEAD") throw new HttpError(405, "MethodNotAllowed", "Files are fetched with GET.");
  if (!/^[0-9a-f-]{36}$/i.test(name)) {
    throw new HttpError(
      400,
      "InvalidStoragePath",
      `Invalid storage path: "${name}". Please use \`storage.getUrl()\` to generate a valid URL to retrieve files. See https://docs.convex.dev/file-storage/serve-files for more details`,
    );
  }
  const file = engine.read((transaction) => engine.files.byUuid(transaction.connection, name.toLowerCase()));
  if (file === null) throw new HttpError(404, "FileNotFound", `File ${name} not found`);
  await serveFile(request, response, file, engine);
}
