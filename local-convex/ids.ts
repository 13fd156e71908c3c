/**
 * Document ids: table number (variable length), 16 bytes of the document's own, Fletcher-16 check sum; in Crockford's
 * base 32, lower case. The layout is the one Convex documents in `crates/value/src/id_v6.rs` of convex-backend.
 */

import { randomFillSync } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS = new Map<string, number>(ALPHABET.split("").map((character, index) => [character, index]));

const INNER_BYTES = 16;
const MIN_LENGTH = Math.ceil(((1 + INNER_BYTES + 2) * 8) / 5);
const MAX_LENGTH = Math.ceil(((5 + INNER_BYTES + 2) * 8) / 5);
const MAX_TABLE_NUMBER = 2 ** 32 - 1;

export type DecodedId = { table: number; inner: Buffer } | { error: string };

function fletcher16(bytes: Uint8Array): number {
  let low = 0;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) & 0xff;
    high = (high + low) & 0xff;
  }
  return (high << 8) | low;
}

function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31] as string;
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text += ALPHABET[(held << (5 - bits)) & 31] as string;
  return text;
}

function fromBase32(text: string): Buffer | null {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text) {
    const digit = DIGITS.get(character);
    if (digit === undefined) return null;
    held = (held << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
      held &= (1 << bits) - 1;
    }
  }
  return Buffer.from(bytes);
}

export function encodeId(table: number, inner: Uint8Array): string {
  const head: number[] = [];
  let rest = table;
  while (rest >= 0x80) {
    head.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  head.push(rest);
  const body = Buffer.concat([Buffer.from(head), inner]);
  const footer = Buffer.alloc(2);
  footer.writeUInt16LE(fletcher16(body));
  return toBase32(Buffer.concat([body, footer]));
}

export function newId(table: number): string {
  return encodeId(table, randomFillSync(Buffer.alloc(INNER_BYTES)));
}

function readTableNumber(bytes: Buffer): { table: number; length: number } | null {
  let table = 0;
  for (let i = 0; i < 5 && i < bytes.length; i += 1) {
    const byte = bytes[i] as number;
    table += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return table > 0 && table <= MAX_TABLE_NUMBER ? { table, length: i + 1 } : null;
  }
  return null;
}

/** Take an id apart, or say in the backend's words why it is none. */
export function decodeId(id: string): DecodedId {
  const invalidLength = { error: `Unable to decode ID: Invalid ID length ${String(id.length)}` };
  if (id.length < MIN_LENGTH || id.length > MAX_LENGTH) return invalidLength;
  const bytes = fromBase32(id);
  // The second test refuses spellings whose unused last bits are set.
  if (bytes === null || toBase32(bytes) !== id) return { error: "Unable to decode ID: ID wasn't valid base32" };
  const number = readTableNumber(bytes);
  if (number === null) return { error: "Unable to decode ID: Invalid table number" };
  const end = number.length + INNER_BYTES;
  if (bytes.length !== end + 2) return invalidLength;
  const expected = fletcher16(bytes.subarray(0, end));
  const found = bytes.readUInt16LE(end);
  if (expected !== found) {
    return { error: `Unable to decode ID: Invalid ID version ${String(found)} (expected ${String(expected)})` };
  }
  return { table: number.table, inner: bytes.subarray(number.length, end) };
}
