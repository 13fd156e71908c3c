/** File storage: blobs as files of their own, written beside and renamed into place, described in the database. */

import { createHash, createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { closeSync, createReadStream, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { STORAGE_TABLE } from "./catalog.ts";
import type { Connection } from "./database.ts";
import { DeveloperError, HttpError } from "./errors.ts";
import { decodeId } from "./ids.ts";
import type { Transaction } from "./transaction.ts";
import { newFields } from "./values.ts";

const UPLOAD_VALID_MS = 3_600_000;
const MAX_FILE_BYTES = 2 ** 31;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A blob that lies on disk already, but belongs to no document yet. */
export type ReceivedBlob = { uuid: string; sha256: Buffer; size: number };
export type StoredFile = { uuid: string; sha256: string; size: number; contentType: string | null };

function sync(file: string): void {
  const handle = openSync(file, "r");
  fsyncSync(handle);
  closeSync(handle);
}

export class Files {
  readonly #folder: string;
  readonly #secret: string;
  origin = "";

  constructor(folder: string, secret: string) {
    this.#folder = folder;
    this.#secret = secret;
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) if (name.endsWith(".part")) rmSync(join(folder, name));
  }

  pathOf(uuid: string): string {
    return join(this.#folder, uuid);
  }

  #seal(expires: string): Buffer {
    return createHmac("sha256", this.#secret).update(expires).digest();
  }

  uploadUrl(): string {
    const content = `${String(Date.now() + UPLOAD_VALID_MS)}.${randomBytes(8).toString("hex")}`;
    return `${this.origin}/api/storage/upload?token=${content}.${this.#seal(content).toString("hex")}`;
  }

  /** @throws HttpError 401 for a token that is not ours or is too old */
  checkUploadToken(token: string): void {
    const cut = token.lastIndexOf(".");
    const content = token.slice(0, Math.max(cut, 0));
    const seal = Buffer.from(token.slice(cut + 1), "hex");
    const expected = this.#seal(content);
    if (seal.length !== expected.length || !timingSafeEqual(seal, expected)) {
      throw new HttpError(401, "StorageTokenInvalid", "Couldn't decode the StoreFileAuthorization token");
    }
    if (Number(content.split(".")[0]) < Date.now()) throw new HttpError(401, "StorageTokenExpired", "Store File Authorization expired");
  }

  /** Write a stream to disk, counting and hashing it. */
  async receive(stream: Readable): Promise<ReceivedBlob> {
    const uuid = randomUUID();
    const part = `${this.pathOf(uuid)}.part`;
    const hash = createHash("sha256");
    let size = 0;
    let handle: FileHandle | null = null;
    try {
      handle = await open(part, "wx");
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_FILE_BYTES) throw new HttpError(413, "FileTooLarge", "The file is too large for storage (2 GiB at most).");
        hash.update(chunk);
        await handle.write(chunk);
      }
      await handle.sync();
    } catch (thrown) {
      rmSync(part, { force: true });
      throw thrown;
    } finally {
      await handle?.close();
    }
    this.#publish(part, uuid);
    return { uuid, sha256: hash.digest(), size };
  }

  /** The same for bytes at hand. */
  receiveBytes(bytes: Uint8Array): ReceivedBlob {
    const uuid = randomUUID();
    const part = `${this.pathOf(uuid)}.part`;
    const handle = openSync(part, "wx");
    let written = 0;
    while (written < bytes.length) written += writeSync(handle, bytes, written);
    fsyncSync(handle);
    closeSync(handle);
    this.#publish(part, uuid);
    return { uuid, sha256: createHash("sha256").update(bytes).digest(), size: bytes.length };
  }

  #publish(part: string, uuid: string): void {
    renameSync(part, this.pathOf(uuid));
    sync(this.#folder);
  }

  discard(uuid: string): void {
    rmSync(this.pathOf(uuid), { force: true });
  }

  /** Remove blobs that no document names: of uploads whose mutation or process ended in between. */
  sweep(connection: Connection): void {
    for (const uuid of readdirSync(this.#folder)) {
      if (connection.get("SELECT 1 FROM files WHERE uuid = ?", uuid) === undefined) this.discard(uuid);
    }
  }

  /** Make a received blob a file of the deployment; gives its storage id. */
  adopt(transaction: Transaction, blob: ReceivedBlob, contentType: string | null): string {
    const fields = newFields();
    if (contentType !== null) fields["contentType"] = contentType;
    fields["sha256"] = blob.sha256.toString("hex");
    fields["size"] = blob.size;
    transaction.storedFiles.push(blob.uuid);
    const id = transaction.insert(STORAGE_TABLE, fields);
    transaction.connection.run(
      "INSERT INTO files (id, uuid, sha256, size, content_type) VALUES (?, ?, ?, ?, ?)",
      id,
      blob.uuid,
      blob.sha256.toString("hex"),
      blob.size,
      contentType,
    );
    return id;
  }

  /** Refuse a blob whose hash is not the one its sender named (base64 or hex). */
  checkHash(blob: ReceivedBlob, expected: string | undefined): void {
    if (expected === undefined) return;
    if (blob.sha256.toString("base64") === expected || blob.sha256.toString("hex") === expected.toLowerCase()) return;
    this.discard(blob.uuid);
    throw new HttpError(400, "Sha256Mismatch", "The file's sha256 does not match the one given; it was not stored.");
  }

  /** Look a file up inside a transaction, which then depends on it; null when it does not exist. */
  find(transaction: Transaction, storageId: unknown, operation: string): StoredFile | null {
    const table = transaction.catalog.table(STORAGE_TABLE);
    if (typeof storageId !== "string" || table === undefined) throw new DeveloperError(`Invalid argument \`storageId\` for \`${operation}\`: expected a string.`);
    if (UUID.test(storageId)) return this.#read(transaction.connection.get("SELECT * FROM files WHERE uuid = ?", storageId));
    const id = decodeId(storageId);
    if ("error" in id) throw new DeveloperError(`Invalid argument \`storageId\` for \`${operation}\`: Invalid storage ID: "${storageId}". ${id.error}`);
    if (id.table !== table.number) {
      throw new DeveloperError(`Invalid argument \`storageId\` for \`${operation}\`: Invalid storage ID: "${storageId}" is not an id of \`_storage\`.`);
    }
    if (transaction.get(table, storageId) === null) return null;
    return this.#read(transaction.connection.get("SELECT * FROM files WHERE id = ?", storageId));
  }

  #read(row: Record<string, unknown> | undefined): StoredFile | null {
    if (row === undefined) return null;
    return { uuid: row["uuid"] as string, sha256: row["sha256"] as string, size: row["size"] as number, contentType: row["content_type"] as string | null };
  }

  byUuid(connection: Connection, uuid: string): StoredFile | null {
    const file = UUID.test(uuid) ? this.#read(connection.get("SELECT * FROM files WHERE uuid = ?", uuid)) : null;
    return file !== null && existsSync(this.pathOf(uuid)) ? file : null;
  }

  urlOf(file: StoredFile): string {
    return `${this.origin}/api/storage/${file.uuid}`;
  }

  /** Delete a file; its bytes go when the transaction commits. */
  remove(transaction: Transaction, storageId: unknown): void {
    const file = this.find(transaction, storageId, "storage.delete");
    if (file === null) throw new DeveloperError(`storage id ${String(storageId)} not found`);
    const row = transaction.connection.get("SELECT id FROM files WHERE uuid = ?", file.uuid);
    const id = row?.["id"] as string;
    const stored = transaction.systemDocument(STORAGE_TABLE, id);
    if (stored !== null) transaction.remove(stored.table, id, stored);
    transaction.connection.run("DELETE FROM files WHERE id = ?", id);
    transaction.deletedFiles.push(file.uuid);
  }

  stream(uuid: string, start: number, end: number): Readable {
    return createReadStream(this.pathOf(uuid), { start, end });
  }

  read(uuid: string): Buffer {
    return readFileSync(this.pathOf(uuid));
  }
}

