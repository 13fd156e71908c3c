/** Vector search in actions: exact cosine similarity over every vector of the index that passes the filter. */

import type { Connection } from "./database.ts";
import { DeveloperError } from "./errors.ts";
import { decodeMaybe } from "./filters.ts";
import { encodeKey } from "./keys.ts";
import type { IndexDefinition } from "./schema.ts";
import { filterKeys } from "./search.ts";
import { type Fields, type Value, fieldAt } from "./values.ts";

export type VectorDefinition = IndexDefinition & { kind: "vector" };
export type VectorEntry = { vector: Float32Array; filters: Record<string, string> };

const MAX_RESULTS = 256;
const DEFAULT_RESULTS = 10;
const MAX_FILTERS = 64;

function asVector(value: Value | undefined, dimensions: number): Float32Array | null {
  if (!Array.isArray(value) || value.length !== dimensions) return null;
  return value.every((item) => typeof item === "number") ? Float32Array.from(value) : null;
}

/** What a document contributes to a vector index; null when the field holds no vector of the right length. */
export function vectorEntry(definition: VectorDefinition, fields: Fields): VectorEntry | null {
  const vector = asVector(fieldAt(fields, definition.vectorField), definition.dimensions);
  return vector === null ? null : { vector, filters: filterKeys(fields, definition.filterFields) };
}

export function writeVectorEntry(connection: Connection, indexId: number, doc: number, entry: VectorEntry): void {
  const bytes = Buffer.from(entry.vector.buffer, entry.vector.byteOffset, entry.vector.byteLength);
  connection.run("INSERT INTO vectors (index_id, doc, vector, filters) VALUES (?, ?, ?, ?)", indexId, doc, bytes, JSON.stringify(entry.filters));
}

type Conditions = [path: string, key: string][];

/** `q.eq(...)` or `q.or(q.eq(...), ...)`: any one of the conditions is enough. */
function readConditions(name: string, definition: VectorDefinition, expressions: unknown): Conditions {
  if (expressions === null || expressions === undefined) return [];
  const [entry] = Object.entries(expressions as Record<string, unknown>);
  if (entry?.[0] === "$or") {
    return (entry[1] as unknown[]).flatMap((expression) => readConditions(name, definition, expression));
  }
  const [field, literal] = (entry?.[0] === "$eq" ? entry[1] : []) as [{ $field?: string }?, { $literal?: unknown }?];
  if (field?.$field === undefined || literal === undefined || !("$literal" in literal)) {
    throw new DeveloperError(`Vector query against ${name} has a malformed filter.`);
  }
  if (!definition.filterFields.includes(field.$field)) {
    throw new DeveloperError(
      `Vector query against ${name} contains a filter on "${field.$field}" but that field isn't indexed for filtering in \`filterFields\`.`,
    );
  }
  return [[field.$field, encodeKey([decodeMaybe(literal.$literal)]).toString("base64")]];
}

function norm(vector: Float32Array): number {
  let sum = 0;
  for (const component of vector) sum += component * component;
  return Math.sqrt(sum);
}

function cosine(left: Float32Array, leftNorm: number, right: Float32Array): number {
  let product = 0;
  for (let i = 0; i < left.length; i += 1) product += (left[i] as number) * (right[i] as number);
  const norms = leftNorm * norm(right);
  return norms === 0 ? 0 : product / norms;
}

export type VectorQuery = { indexName: string; limit?: number; vector: unknown; expressions: unknown };

/** The most similar documents of an index, best first. */
export function runVectorSearch(
  connection: Connection,
  indexId: number,
  definition: VectorDefinition,
  query: VectorQuery,
): { _id: string; _score: number }[] {
  const limit = query.limit ?? DEFAULT_RESULTS;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RESULTS) {
    throw new DeveloperError(`Vector queries must ask for between 1 and ${String(MAX_RESULTS)} results, not ${String(limit)}.`);
  }
  const wanted = asVector(query.vector as Value, definition.dimensions);
  if (wanted === null) {
    const length = Array.isArray(query.vector) ? query.vector.length : 0;
    throw new DeveloperError(`Vector query against ${query.indexName} needs ${String(definition.dimensions)} numbers, got ${String(length)}.`);
  }
  const conditions = readConditions(query.indexName, definition, query.expressions);
  if (conditions.length > MAX_FILTERS) throw new DeveloperError(`Vector query against ${query.indexName} has more than ${String(MAX_FILTERS)} filter conditions.`);
  const wantedNorm = norm(wanted);
  const found: { _id: string; _score: number }[] = [];
  const rows = connection.all("SELECT v.vector, v.filters, d.id FROM vectors v JOIN documents d ON d.doc = v.doc WHERE v.index_id = ?", indexId);
  for (const row of rows) {
    const filters = JSON.parse(row["filters"] as string) as Record<string, string>;
    if (conditions.length > 0 && !conditions.some(([path, key]) => filters[path] === key)) continue;
    // A copy, because a blob need not start at a multiple of four bytes.
    const vector = new Float32Array(new Uint8Array(row["vector"] as Uint8Array).buffer);
    found.push({ _id: row["id"] as string, _score: cosine(wanted, wantedNorm, vector) });
  }
  return found.sort((left, right) => right._score - left._score || (left._id < right._id ? -1 : 1)).slice(0, limit);
}
