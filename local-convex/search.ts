/**
 * Full text search: an inverted index in SQLite, ranked by BM25.
 *
 * As in Convex: words are cut at everything that is no letter or digit, lower-cased, longer ones than 32 characters
 * are left out; a document matches with any of the first 16 words; the last word matches as a beginning; at most 1,024
 * results; ties go to the newer document.
 */

import type { Connection } from "./database.ts";
import { DeveloperError } from "./errors.ts";
import { decodeMaybe } from "./filters.ts";
import { encodeKey } from "./keys.ts";
import type { IndexDefinition } from "./schema.ts";
import { type Fields, fieldAt } from "./values.ts";

export type SearchDefinition = IndexDefinition & { kind: "search" };
export type SearchEntry = { frequencies: Map<string, number>; length: number; filters: Record<string, string> };
export type SearchQuery = { terms: string[]; prefix: string | null; filters: [path: string, key: string][] };

const MAX_TERMS = 16;
const MAX_TERM_LENGTH = 32;
const MAX_FILTERS = 8;
export const MAX_RESULTS = 1024;
const BM25_K1 = 1.2;
const BM25_B = 0.75;
// A beginning counts less than the whole word, so that exact matches come first.
const PREFIX_WEIGHT = 0.5;

export function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length <= MAX_TERM_LENGTH);
}

/** The key that a filter field's value has in an index, undefined values included. */
export function filterKey(fields: Fields, path: string): string {
  return encodeKey([fieldAt(fields, path)]).toString("base64");
}

export function filterKeys(fields: Fields, paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(paths.map((path) => [path, filterKey(fields, path)]));
}

/** What a document contributes to a search index; null when the searched field holds no text. */
export function searchEntry(definition: SearchDefinition, fields: Fields): SearchEntry | null {
  const text = fieldAt(fields, definition.searchField);
  if (typeof text !== "string") return null;
  const words = wordsOf(text);
  const frequencies = new Map<string, number>();
  for (const word of words) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  return { frequencies, length: words.length, filters: filterKeys(fields, definition.filterFields) };
}

export function writeSearchEntry(connection: Connection, indexId: number, doc: number, entry: SearchEntry): void {
  for (const [term, frequency] of entry.frequencies) {
    connection.run("INSERT INTO search_terms (index_id, term, doc, frequency) VALUES (?, ?, ?, ?)", indexId, term, doc, frequency);
  }
  connection.run(
    "INSERT INTO search_documents (index_id, doc, length, filters) VALUES (?, ?, ?, ?)",
    indexId,
    doc,
    entry.length,
    JSON.stringify(entry.filters),
  );
}

export function removeSearchEntry(connection: Connection, indexId: number, doc: number, entry: SearchEntry): void {
  for (const term of entry.frequencies.keys()) {
    connection.run("DELETE FROM search_terms WHERE index_id = ? AND term = ? AND doc = ?", indexId, term, doc);
  }
  connection.run("DELETE FROM search_documents WHERE index_id = ? AND doc = ?", indexId, doc);
}

type SerializedFilter = { type: "Search" | "Eq"; fieldPath: string; value: unknown };

/** Read the filters of `withSearchIndex`, refusing what the index does not cover. */
export function readSearchQuery(name: string, definition: SearchDefinition, serialized: readonly SerializedFilter[]): SearchQuery {
  const searches = serialized.filter((filter) => filter.type === "Search");
  const [search] = searches;
  if (search === undefined || searches.length !== 1) {
    throw new DeveloperError(`Search query against ${name} must contain exactly one search filter against \`${definition.searchField}\`.`);
  }
  if (search.fieldPath !== definition.searchField) {
    throw new DeveloperError(
      `Search query against ${name} contains a search filter against "${search.fieldPath}", but its search field is "${definition.searchField}".`,
    );
  }
  const filters = serialized.filter((filter) => filter.type === "Eq");
  if (filters.length > MAX_FILTERS) throw new DeveloperError(`Search query against ${name} has too many filter conditions (max: ${String(MAX_FILTERS)}).`);
  for (const filter of filters) {
    if (!definition.filterFields.includes(filter.fieldPath)) {
      throw new DeveloperError(
        `Search query against ${name} contains an equality filter on "${filter.fieldPath}" but that field isn't indexed for filtering in \`filterFields\`.`,
      );
    }
  }
  const words = wordsOf(String(search.value)).slice(0, MAX_TERMS);
  return {
    terms: [...new Set(words)],
    prefix: words.at(-1) ?? null,
    filters: filters.map((filter) => [filter.fieldPath, encodeKey([decodeMaybe(filter.value)]).toString("base64")]),
  };
}

/** Whether a document with this entry could be among the results of the query. */
export function couldMatch(query: SearchQuery, entry: SearchEntry): boolean {
  if (!query.filters.every(([path, key]) => entry.filters[path] === key)) return false;
  const { prefix } = query;
  return (
    query.terms.some((term) => entry.frequencies.has(term)) ||
    (prefix !== null && [...entry.frequencies.keys()].some((term) => term.startsWith(prefix)))
  );
}

type Posting = { doc: number; frequency: number; weight: number };

function postings(connection: Connection, indexId: number, query: SearchQuery): Posting[][] {
  const exact = (term: string): Posting[] =>
    connection
      .all("SELECT doc, frequency FROM search_terms WHERE index_id = ? AND term = ?", indexId, term)
      .map((row) => ({ doc: row["doc"] as number, frequency: row["frequency"] as number, weight: 1 }));
  const lists = query.terms.map(exact);
  if (query.prefix !== null) {
    const longer = connection.all(
      "SELECT doc, sum(frequency) AS frequency FROM search_terms WHERE index_id = ? AND term > ? AND term < ? GROUP BY doc",
      indexId,
      query.prefix,
      `${query.prefix}\u{10ffff}`,
    );
    lists.push(longer.map((row) => ({ doc: row["doc"] as number, frequency: row["frequency"] as number, weight: PREFIX_WEIGHT })));
  }
  return lists;
}

/** Documents that match, best first: row numbers with their scores, unordered among equal scores. */
export function runSearch(connection: Connection, indexId: number, query: SearchQuery): { doc: number; score: number }[] {
  const totals = connection.get("SELECT count(*) AS documents, avg(length) AS length FROM search_documents WHERE index_id = ?", indexId);
  const documents = (totals?.["documents"] as number | undefined) ?? 0;
  const averageLength = Math.max((totals?.["length"] as number | null | undefined) ?? 0, 1);
  const scores = new Map<number, number>();
  const lengths = new Map<number, number | null>();
  const lengthIfAllowed = (doc: number): number | null => {
    let length = lengths.get(doc);
    if (length === undefined) {
      const row = connection.get("SELECT length, filters FROM search_documents WHERE index_id = ? AND doc = ?", indexId, doc);
      const filters = JSON.parse((row?.["filters"] as string | undefined) ?? "{}") as Record<string, string>;
      length = query.filters.every(([path, key]) => filters[path] === key) ? ((row?.["length"] as number | undefined) ?? 0) : null;
      lengths.set(doc, length);
    }
    return length;
  };
  for (const list of postings(connection, indexId, query)) {
    const rarity = Math.log(1 + (documents - list.length + 0.5) / (list.length + 0.5));
    for (const { doc, frequency, weight } of list) {
      const length = lengthIfAllowed(doc);
      if (length === null) continue;
      const saturation = (frequency * (BM25_K1 + 1)) / (frequency + BM25_K1 * (1 - BM25_B + (BM25_B * length) / averageLength));
      scores.set(doc, (scores.get(doc) ?? 0) + weight * rarity * saturation);
    }
  }
  return [...scores].map(([doc, score]) => ({ doc, score })).sort((left, right) => right.score - left.score);
}
