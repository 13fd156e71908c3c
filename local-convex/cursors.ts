/** Pagination cursors: opaque, bound to their query, sealed with the deployment's secret, good across restarts. */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { DeveloperError } from "./errors.ts";

/** After a key of the index, or behind the last document there is. */
export type Position = { after: Buffer } | "end";
export type Cursor = { position: Position; fingerprint: Buffer };

const SEAL_BYTES = 8;
const FINGERPRINT_BYTES = 8;

/** Names the query a cursor belongs to: source, range, order, filters and the fields of its index. */
export function fingerprintOf(query: unknown, indexFields: readonly string[]): Buffer {
  return createHash("sha256").update(JSON.stringify([query, indexFields])).digest().subarray(0, FINGERPRINT_BYTES);
}

export class CursorSeal {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  #seal(content: Buffer): Buffer {
    return createHmac("sha256", this.#secret).update(content).digest().subarray(0, SEAL_BYTES);
  }

  write({ position, fingerprint }: Cursor): string {
    const kind = Buffer.from([position === "end" ? 0 : 1]);
    const content = Buffer.concat([fingerprint, kind, position === "end" ? Buffer.alloc(0) : position.after]);
    return Buffer.concat([this.#seal(content), content]).toString("base64url");
  }

  read(text: string): Cursor {
    const bytes = Buffer.from(text, "base64url");
    const content = bytes.subarray(SEAL_BYTES);
    const isSealed = content.length > FINGERPRINT_BYTES && timingSafeEqual(bytes.subarray(0, SEAL_BYTES), this.#seal(content));
    if (!isSealed) throw new DeveloperError("InvalidCursor: Failed to parse cursor");
    const after = content.subarray(FINGERPRINT_BYTES + 1);
    return {
      fingerprint: content.subarray(0, FINGERPRINT_BYTES),
      position: content[FINGERPRINT_BYTES] === 0 ? "end" : { after },
    };
  }
}
