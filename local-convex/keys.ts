/**
 * Order-preserving bytes for Convex values: comparing two keys byte by byte is comparing the values.
 *
 * The order across types is undefined < null < int64 < float64 < boolean < string < bytes < array < object. No
 * encoded value is a prefix of another one, so keys of several fields can be put one behind the other.
 */

import { type Fields, type Value, fieldAt } from "./values.ts";

const UNDEFINED = 0x01;
const NULL = 0x02;
const INT64 = 0x03;
const FLOAT64 = 0x04;
const FALSE = 0x05;
const TRUE = 0x06;
const STRING = 0x07;
const BYTES = 0x08;
const ARRAY = 0x09;
const OBJECT = 0x0a;
const END = 0x00;

/** Greater than every byte an encoded value can start with: closes a range. */
const AFTER = Buffer.from([0xff]);

class KeyWriter {
  private buffer = Buffer.allocUnsafe(64);
  private length = 0;

  private reserve(extra: number): void {
    if (this.length + extra <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + extra));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  private byte(byte: number): void {
    this.reserve(1);
    this.buffer[this.length] = byte;
    this.length += 1;
  }

  // A zero inside becomes 00 FF, the end is 00 00: so "a" sorts before "a\0" and before "ab".
  private escaped(bytes: Uint8Array): void {
    this.reserve(bytes.length * 2 + 2);
    for (const byte of bytes) {
      this.buffer[this.length] = byte;
      this.length += 1;
      if (byte === 0) {
        this.buffer[this.length] = 0xff;
        this.length += 1;
      }
    }
    this.buffer[this.length] = 0;
    this.buffer[this.length + 1] = 0;
    this.length += 2;
  }

  private float(float: number): void {
    this.reserve(8);
    this.buffer.writeDoubleBE(float, this.length);
    const negative = (this.buffer[this.length] as number) >= 0x80;
    for (let i = this.length; i < this.length + 8; i += 1) {
      this.buffer[i] = negative ? ~(this.buffer[i] as number) & 0xff : (this.buffer[i] as number);
    }
    if (!negative) this.buffer[this.length] = (this.buffer[this.length] as number) | 0x80;
    this.length += 8;
  }

  value(value: Value | undefined): void {
    if (value === undefined) this.byte(UNDEFINED);
    else if (value === null) this.byte(NULL);
    else if (typeof value === "bigint") {
      this.byte(INT64);
      this.reserve(8);
      this.buffer.writeBigUInt64BE(BigInt.asUintN(64, value + 2n ** 63n), this.length);
      this.length += 8;
    } else if (typeof value === "number") {
      this.byte(FLOAT64);
      this.float(value);
    } else if (typeof value === "boolean") this.byte(value ? TRUE : FALSE);
    else if (typeof value === "string") {
      this.byte(STRING);
      this.escaped(Buffer.from(value));
    } else if (value instanceof Uint8Array) {
      this.byte(BYTES);
      this.escaped(value);
    } else if (Array.isArray(value)) {
      this.byte(ARRAY);
      for (const item of value) this.value(item);
      this.byte(END);
    } else {
      this.byte(OBJECT);
      for (const name of Object.keys(value).sort()) {
        this.value(name);
        this.value(value[name]);
      }
      this.byte(END);
    }
  }

  finish(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length));
  }
}

export function encodeKey(values: readonly (Value | undefined)[]): Buffer {
  const writer = new KeyWriter();
  for (const value of values) writer.value(value);
  return writer.finish();
}

/** The smallest key above every key that starts with `prefix`. */
export function afterPrefix(prefix: Uint8Array): Buffer {
  return Buffer.concat([prefix, AFTER]);
}

/** The smallest key above `key` itself. */
export function successor(key: Uint8Array): Buffer {
  return Buffer.concat([key, Buffer.from([0])]);
}

export function compareValues(left: Value | undefined, right: Value | undefined): number {
  if (typeof left === "string" && left === right) return 0;
  return Buffer.compare(encodeKey([left]), encodeKey([right]));
}

/** The key of a document in an index: its fields, then creation time and id, which make it unique. */
export function documentKey(fields: Fields, paths: readonly string[]): Buffer {
  const writer = new KeyWriter();
  for (const path of paths) writer.value(fieldAt(fields, path));
  writer.value(fields["_creationTime"]);
  writer.value(fields["_id"]);
  return writer.finish();
}
