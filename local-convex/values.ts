/** Convex values: their JSON encoding, limits, size, order of fields, and how error messages print them. */

import { DeveloperError } from "./errors.ts";

export type Value = null | bigint | number | boolean | string | Uint8Array | Value[] | { [field: string]: Value };
export type Fields = Record<string, Value>;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export const MAX_NESTING = 64;
export const MAX_ARRAY_LENGTH = 8192;
export const MAX_OBJECT_FIELDS = 1024;
export const MAX_DOCUMENT_BYTES = 1 << 20;
export const MAX_VALUE_BYTES = 16 << 20;
const MAX_FIELD_NAME_LENGTH = 1024;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

export function isFields(value: Value | undefined): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

export function newFields(): Fields {
  // Without a prototype, "__proto__" is a field like any other.
  return Object.create(null) as Fields;
}

function isSpecialFloat(float: number): boolean {
  return !Number.isFinite(float) || Object.is(float, -0);
}

function decodeBase64(text: unknown, tag: string): Buffer {
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new DeveloperError(`Malformed ${tag}: expected a base64 string`);
  }
  return Buffer.from(text, "base64");
}

function decodeEightBytes(text: unknown, tag: string): Buffer {
  const bytes = decodeBase64(text, tag);
  if (bytes.length !== 8) throw new DeveloperError(`Received ${String(bytes.length)} bytes, expected 8 for ${tag}`);
  return bytes;
}

export function checkFieldName(name: string): void {
  if (name.length > MAX_FIELD_NAME_LENGTH) {
    throw new DeveloperError(`Field name ${name.slice(0, 64)}... exceeds maximum field name length ${String(MAX_FIELD_NAME_LENGTH)}.`);
  }
  if (name.startsWith("$")) throw new DeveloperError(`Field name ${name} starts with '$', which is reserved.`);
  for (let i = 0; i < name.length; i += 1) {
    const code = name.charCodeAt(i);
    if (code < 32 || code >= 127) {
      throw new DeveloperError(
        `Field name ${name} has invalid character '${name[i] ?? ""}': Field names can only contain non-control ASCII characters`,
      );
    }
  }
}

function checkString(text: string): string {
  if (!text.isWellFormed()) throw new DeveloperError("Strings must be valid Unicode: found a lone surrogate.");
  return text;
}

/** `{$integer}`, `{$float}`, `{$bytes}`: the objects that stand for values JSON lacks; undefined for a plain object. */
function decodeTagged(key: string, content: unknown, commitTs: bigint | undefined): Value | undefined {
  switch (key) {
    case "$integer":
      return decodeEightBytes(content, "$integer").readBigInt64LE();
    case "$float": {
      const float = decodeEightBytes(content, "$float").readDoubleLE();
      if (!isSpecialFloat(float)) throw new DeveloperError(`Float ${String(float)} should be encoded as a number`);
      return float;
    }
    case "$bytes":
      return new Uint8Array(decodeBase64(content, "$bytes"));
    case "$commitTs":
      if (commitTs === undefined) throw new DeveloperError("A commit timestamp can only be written by a mutation.");
      return commitTs;
    case "$set":
      throw new DeveloperError("Received a Set which is no longer supported as a Convex type.");
    case "$map":
      throw new DeveloperError("Received a Map which is no longer supported as a Convex type.");
    default:
      return undefined;
  }
}

/**
 * Turn Convex JSON into a value, checking names, nesting, lengths.
 *
 * @param commitTs what the placeholder `db.vars.commitTs` stands for, in mutations
 * @throws DeveloperError
 */
export function decode(json: unknown, commitTs?: bigint, depth = 0): Value {
  if (json === null || typeof json === "boolean") return json;
  if (typeof json === "number") {
    // JSON.parse makes Infinity of 1e999, and JSON.stringify would make null of that.
    if (!Number.isFinite(json)) throw new DeveloperError("Number out of range");
    return json;
  }
  if (typeof json === "string") return checkString(json);
  if (typeof json !== "object") throw new DeveloperError(`Unexpected type ${typeof json} in a Convex value`);
  if (depth >= MAX_NESTING) {
    throw new DeveloperError(`Value is too nested (more than ${String(MAX_NESTING)} levels deep > maximum nesting ${String(MAX_NESTING)})`);
  }
  if (Array.isArray(json)) {
    if (json.length > MAX_ARRAY_LENGTH) {
      throw new DeveloperError(`Array length is too long (${String(json.length)} > maximum length ${String(MAX_ARRAY_LENGTH)})`);
    }
    return json.map((item) => decode(item, commitTs, depth + 1));
  }
  const keys = Object.keys(json);
  const [first] = keys;
  if (keys.length === 1 && first?.startsWith("$") === true) {
    const tagged = decodeTagged(first, (json as Record<string, unknown>)[first], commitTs);
    if (tagged !== undefined) return tagged;
  }
  if (keys.length > MAX_OBJECT_FIELDS) {
    throw new DeveloperError(`Object has too many fields (${String(keys.length)} > maximum number ${String(MAX_OBJECT_FIELDS)})`);
  }
  const fields = newFields();
  for (const key of keys.sort()) {
    checkFieldName(key);
    fields[key] = decode((json as Record<string, unknown>)[key], commitTs, depth + 1);
  }
  return fields;
}

export function decodeFields(json: unknown, commitTs?: bigint): Fields {
  const value = decode(json, commitTs);
  if (!isFields(value)) throw new DeveloperError("Value must be an Object");
  return value;
}

function taggedBytes(tag: string, write: (buffer: Buffer) => void): Json {
  const buffer = Buffer.alloc(8);
  write(buffer);
  return { [tag]: buffer.toString("base64") };
}

/** The lossless JSON of a value (`convex_encoded_json`). */
export function encode(value: Value): Json {
  if (typeof value === "bigint") {
    if (value < MIN_INT64 || value > MAX_INT64) throw new DeveloperError(`BigInt ${String(value)} does not fit into a 64-bit signed integer.`);
    return taggedBytes("$integer", (buffer) => buffer.writeBigInt64LE(value));
  }
  if (typeof value === "number") {
    return isSpecialFloat(value) ? taggedBytes("$float", (buffer) => buffer.writeDoubleLE(value)) : value;
  }
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(encode);
  const json = Object.create(null) as { [key: string]: Json };
  for (const key of Object.keys(value).sort()) json[key] = encode(value[key] as Value);
  return json;
}

export function stringify(value: Value): string {
  return JSON.stringify(encode(value));
}

/** The readable, lossy JSON of a value (format `json` of the HTTP API). */
export function encodeClean(value: Value): Json {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(encodeClean);
  const json = Object.create(null) as { [key: string]: Json };
  for (const key of Object.keys(value).sort()) json[key] = encodeClean(value[key] as Value);
  return json;
}

/** Size in bytes as Convex counts it. */
export function sizeOf(value: Value): number {
  if (value === null || typeof value === "boolean") return 1;
  if (typeof value === "bigint" || typeof value === "number") return 9;
  if (typeof value === "string") return 2 + Buffer.byteLength(value);
  if (value instanceof Uint8Array) return 2 + value.length;
  let size = 2;
  if (Array.isArray(value)) {
    for (const item of value) size += sizeOf(item);
  } else {
    for (const key of Object.keys(value)) size += key.length + 1 + sizeOf(value[key] as Value);
  }
  return size;
}

/** Bytes for people: `1 MiB`, `1.25 MiB`, `512 B`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let scaled = bytes;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${String(Number(scaled.toFixed(2)))} ${units[unit] ?? ""}`;
}

/** Follow a dotted path; undefined when something on the way is missing or no object. */
export function fieldAt(fields: Fields, path: string): Value | undefined {
  let current: Value | undefined = fields;
  for (const name of path.split(".")) {
    if (!isFields(current)) return undefined;
    current = Object.hasOwn(current, name) ? current[name] : undefined;
  }
  return current;
}

/** A value as the backend prints it in messages: `{age: 3.0, name: "Asha"}`. */
export function display(value: Value | undefined): string {
  if (value === undefined) return "undefined";
  if (value === null) return "null";
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 1e16 ? value.toFixed(1) : String(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `b"${Buffer.from(value).toString("hex")}"`;
  if (Array.isArray(value)) return `[${value.map(display).join(", ")}]`;
  return `{${Object.keys(value).map((key) => `${key}: ${display(value[key])}`).join(", ")}}`;
}

export function typeName(value: Value | undefined): string {
  if (value === undefined) return "Undefined";
  if (value === null) return "Null";
  if (typeof value === "bigint") return "Int64";
  if (typeof value === "number") return "Float64";
  if (typeof value === "boolean") return "Boolean";
  if (typeof value === "string") return "String";
  if (value instanceof Uint8Array) return "Bytes";
  return Array.isArray(value) ? "Array" : "Object";
}
