/** Running one serialized query (`db.query(...).withIndex(...).filter(...)`) inside a transaction. */

import type { Index, Table } from "./catalog.ts";
import { type Cursor, type Position, fingerprintOf } from "./cursors.ts";
import { DeveloperError } from "./errors.ts";
import { compileFilter, passes } from "./filters.ts";
import type { ReadRange } from "./footprint.ts";
import { encodeKey, successor } from "./keys.ts";
import { type Interval, type RangeExpression, compileRange, idBound } from "./ranges.ts";
import { MAX_RESULTS, type SearchQuery, readSearchQuery, runSearch } from "./search.ts";
import type { Transaction } from "./transaction.ts";
import { type Fields, decodeFields } from "./values.ts";

type Order = "asc" | "desc" | null;
type Source =
  | { type: "FullTableScan"; tableName: string; order: Order }
  | { type: "IndexRange"; indexName: string; range: RangeExpression[]; order: Order }
  | { type: "Search"; indexName: string; filters: { type: "Search" | "Eq"; fieldPath: string; value: unknown }[] };
type Operator = { filter: unknown } | { limit: number };
export type SerializedQuery = { source: Source; operators: Operator[] };

export type QueryRow = { key: Buffer; json: string };
type Pull = () => QueryRow | null;

const FETCH_ROWS = 100;
const CREATION_INDEX = "by_creation_time";
const ID_INDEX = "by_id";
const EVERYTHING: Interval = { lower: Buffer.alloc(0), upper: Buffer.from([0xff]) };

/** How far a page may go: positions of cursors and bounds on what it may read. */
export type PageBounds = { from: Cursor | null; until: Cursor | null; maximumRows: number | null; maximumBytes: number | null };
const UNBOUNDED: PageBounds = { from: null, until: null, maximumRows: null, maximumBytes: null };

/** Thrown when a page reaches `maximumRowsRead` or `maximumBytesRead`. */
export class PageLimitReached extends Error {}

export function splitIndexName(indexName: string): { tableName: string; name: string } {
  const dot = indexName.indexOf(".");
  return { tableName: indexName.slice(0, dot), name: indexName.slice(dot + 1) };
}

type Plan = { table: Table | undefined; index: Index | undefined; byId: boolean; fields: string[]; interval: Interval; search: SearchQuery | null };

function planIndex(transaction: Transaction, indexName: string): Plan {
  const { tableName, name } = splitIndexName(indexName);
  const table = transaction.catalog.table(tableName);
  if (table === undefined) transaction.recordMissingTable(tableName);
  if (name === ID_INDEX) return { table, index: undefined, byId: true, fields: ["_id"], interval: EVERYTHING, search: null };
  const index = table?.indexes.find((candidate) => candidate.definition.name === name);
  if (index?.definition.kind === "vector") throw new DeveloperError(`Index ${indexName} is a vector index: use ctx.vectorSearch in an action.`);
  const isMissing = table === undefined ? name !== CREATION_INDEX || transaction.schema.tables.has(tableName) : index === undefined;
  if (isMissing) throw new DeveloperError(`Index ${indexName} not found.`);
  const own = index?.definition.kind === "database" ? index.definition.fields : [];
  return { table, index, byId: false, fields: [...own, "_creationTime", "_id"], interval: EVERYTHING, search: null };
}

function plan(transaction: Transaction, source: Source): Plan {
  if (source.type === "FullTableScan") return planIndex(transaction, `${source.tableName}.${CREATION_INDEX}`);
  const planned = planIndex(transaction, source.indexName);
  const kind = planned.index?.definition.kind ?? "database";
  if (source.type === "IndexRange") {
    if (kind !== "database") throw new DeveloperError(`Index ${source.indexName} is not a database index: use withSearchIndex.`);
    return { ...planned, interval: compileRange(source.indexName, planned.fields, source.range) };
  }
  if (planned.index?.definition.kind !== "search") throw new DeveloperError(`Index ${source.indexName} is not a search index: use withIndex.`);
  return { ...planned, fields: [], search: readSearchQuery(source.indexName, planned.index.definition, source.filters) };
}

export class QueryRun {
  readonly fingerprint: Buffer;
  /** Where the query stands, null before the first row was asked for. */
  position: Position | null;
  /** Keys of the rows read so far, for splitting a page in two. */
  readonly keysRead: Buffer[] = [];
  bytesRead = 0;
  readonly #transaction: Transaction;
  readonly #plan: Plan;
  readonly #bounds: PageBounds;
  readonly #descending: boolean;
  readonly #pull: Pull;
  readonly #fetchRows: number;
  #fetched: QueryRow[] = [];
  #rest: Interval | null;
  #range: ReadRange | null = null;
  #found: { doc: number; score: number }[] | null = null;

  /** @throws DeveloperError for an unknown index, a range that does not follow it, or a foreign cursor */
  constructor(transaction: Transaction, query: SerializedQuery, bounds: PageBounds = UNBOUNDED) {
    this.#transaction = transaction;
    this.#plan = plan(transaction, query.source);
    this.#bounds = bounds;
    this.#descending = query.source.type !== "Search" && query.source.order === "desc";
    this.fingerprint = fingerprintOf(query, this.#plan.fields);
    for (const cursor of [bounds.from, bounds.until]) {
      if (cursor !== null && !cursor.fingerprint.equals(this.fingerprint)) {
        throw new DeveloperError("InvalidCursor: Tried to run a query starting from a cursor, but it looks like this cursor is from a different query.");
      }
    }
    transaction.charge("databaseQueries", 1);
    this.position = bounds.from?.position ?? null;
    this.#rest = this.#narrowed(this.#plan.interval);
    const limits = query.operators.flatMap((operator) => ("limit" in operator ? [operator.limit] : []));
    const hasFilter = query.operators.some((operator) => "filter" in operator);
    this.#fetchRows = hasFilter ? FETCH_ROWS : Math.max(1, Math.min(FETCH_ROWS, ...limits));
    this.#pull = query.operators.reduce<Pull>((pull, operator) => stage(pull, operator), () => this.#nextOfSource());
  }

  next(): QueryRow | null {
    return this.#pull();
  }

  get splitPoint(): Buffer | undefined {
    return this.keysRead.length > 2 ? this.keysRead[Math.floor(this.keysRead.length / 2)] : undefined;
  }

  #narrowed({ lower, upper }: Interval): Interval | null {
    const from = this.#bounds.from?.position;
    const until = this.#bounds.until?.position;
    if (from === "end") return null;
    let low = lower;
    let high = upper;
    if (from !== undefined) {
      if (this.#descending) high = smaller(high, from.after);
      else low = larger(low, successor(from.after));
    }
    if (until !== undefined && until !== "end") {
      if (this.#descending) low = larger(low, until.after);
      else high = smaller(high, successor(until.after));
    }
    return Buffer.compare(low, high) < 0 ? { lower: low, upper: high } : null;
  }

  #nextOfSource(): QueryRow | null {
    const { maximumRows, maximumBytes, until } = this.#bounds;
    const isLimited = until === null;
    if (isLimited && maximumBytes !== null && this.bytesRead >= maximumBytes) throw new PageLimitReached();
    if (isLimited && maximumRows !== null && this.keysRead.length >= maximumRows) throw new PageLimitReached();
    if (this.position === "end") return null;
    const row = this.#plan.search === null ? this.#nextOfIndex() : this.#nextOfSearch(this.#plan.search);
    if (row === null) {
      this.position = until?.position ?? "end";
      return null;
    }
    this.keysRead.push(row.key);
    this.bytesRead += row.json.length;
    this.position = { after: row.key };
    this.#transaction.recordDocument(row.json);
    return row;
  }

  #nextOfIndex(): QueryRow | null {
    if (this.#fetched.length === 0 && this.#rest !== null) this.#fetch(this.#rest);
    const row = this.#fetched.shift();
    if (row === undefined) {
      this.#widen(null);
      return null;
    }
    this.#widen(row.key);
    return row;
  }

  get #indexNumber(): number {
    const { byId, table, index } = this.#plan;
    return byId ? -(table?.number ?? 0) : (index?.id ?? 0);
  }

  /** The read range grows with the rows handed out: a reader of the first row does not depend on the second. */
  #widen(key: Buffer | null): void {
    const whole = this.#narrowed(this.#plan.interval);
    if (whole === null) return;
    this.#range ??= this.#transaction.recordRange({
      index: this.#indexNumber,
      lower: this.#descending ? whole.upper : whole.lower,
      upper: this.#descending ? whole.upper : whole.lower,
    });
    if (this.#descending) this.#range.lower = key ?? whole.lower;
    else this.#range.upper = key === null ? whole.upper : successor(key);
  }

  #fetch({ lower, upper }: Interval): void {
    const { table, byId, index } = this.#plan;
    const order = this.#descending ? "DESC" : "ASC";
    const { connection } = this.#transaction;
    // Writes of the transaction itself between two fetches are seen, as in Convex.
    if (byId) {
      const rows = connection.all(
        `SELECT id, value FROM documents WHERE table_number = ? AND id >= ? AND id < ? ORDER BY id ${order} LIMIT ?`,
        table?.number ?? 0,
        idBound(lower),
        idBound(upper),
        this.#fetchRows,
      );
      this.#fetched = rows.map((row) => ({ key: encodeKey([row["id"] as string]), json: row["value"] as string }));
    } else {
      const rows = connection.all(
        `SELECT e.key, d.value FROM entries e JOIN documents d ON d.doc = e.doc WHERE e.index_id = ? AND e.key >= ? AND e.key < ? ORDER BY e.key ${order} LIMIT ?`,
        index?.id ?? 0,
        lower,
        upper,
        this.#fetchRows,
      );
      this.#fetched = rows.map((row) => ({ key: Buffer.from(row["key"] as Uint8Array), json: row["value"] as string }));
    }
    const last = this.#fetched.at(-1)?.key;
    if (last === undefined || this.#fetched.length < this.#fetchRows) this.#rest = null;
    else this.#rest = this.#descending ? { lower, upper: last } : { lower: successor(last), upper };
  }

  #nextOfSearch(query: SearchQuery): QueryRow | null {
    const index = this.#plan.index as Index;
    if (this.#found === null) {
      this.#transaction.reads.searches.push({ index: index.id, query });
      const best = runSearch(this.#transaction.connection, index.id, query);
      this.#found = best.sort((left, right) => right.score - left.score || right.doc - left.doc).slice(0, MAX_RESULTS);
    }
    for (;;) {
      const hit = this.#found.shift();
      if (hit === undefined) return null;
      const key = encodeKey([-hit.score, -hit.doc]);
      if (this.#rest === null || Buffer.compare(key, this.#rest.lower) < 0) continue;
      if (Buffer.compare(key, this.#rest.upper) >= 0) return null;
      const row = this.#transaction.connection.get("SELECT value FROM documents WHERE doc = ?", hit.doc);
      return { key, json: row?.["value"] as string };
    }
  }
}

function smaller(left: Buffer, right: Buffer): Buffer {
  return Buffer.compare(left, right) <= 0 ? left : right;
}

function larger(left: Buffer, right: Buffer): Buffer {
  return Buffer.compare(left, right) >= 0 ? left : right;
}

function stage(pull: Pull, operator: Operator): Pull {
  if ("limit" in operator) {
    let taken = 0;
    return () => {
      if (taken >= operator.limit) return null;
      taken += 1;
      return pull();
    };
  }
  const filter = compileFilter(operator.filter);
  return () => {
    for (;;) {
      const row = pull();
      if (row === null) return null;
      const document: Fields = decodeFields(JSON.parse(row.json));
      if (passes(filter, document)) return row;
    }
  };
}
