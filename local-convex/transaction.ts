/** A transaction: reads from one snapshot, writes documents and their index entries, and keeps account of both. */

import { type Catalog, type Index, type SCHEDULED_TABLE, type STORAGE_TABLE, type Table, addToIndex } from "./catalog.ts";
import type { Connection } from "./database.ts";
import { DeveloperError } from "./errors.ts";
import { type ReadRange, ReadSet, WriteSet } from "./footprint.ts";
import { newId } from "./ids.ts";
import { afterPrefix, documentKey, encodeKey } from "./keys.ts";
import type { Schema } from "./schema.ts";
import { removeSearchEntry, searchEntry } from "./search.ts";
import { checkValue } from "./validators.ts";
import { type Fields, MAX_DOCUMENT_BYTES, decodeFields, formatBytes, newFields, sizeOf, stringify } from "./values.ts";
import { vectorEntry } from "./vectors.ts";

export const LIMITS = {
  documentsRead: 32_000,
  bytesRead: 16 << 20,
  documentsWritten: 16_000,
  bytesWritten: 16 << 20,
  databaseQueries: 4_096,
  functionsScheduled: 1_000,
  scheduledFunctionArgsBytes: 16 << 20,
} as const;
export type LimitName = keyof typeof LIMITS;

const READ_ADVICE =
  "Consider using smaller limits in your queries, paginating your queries, or using indexed queries with a selective index range expressions.";
const LIMIT_MESSAGES: Record<LimitName, (limit: number) => string> = {
  documentsRead: (limit) => `Too many documents read in a single function execution (limit: ${String(limit)}). ${READ_ADVICE}`,
  bytesRead: (limit) => `Too many bytes read in a single function execution (limit: ${String(limit)} bytes). ${READ_ADVICE}`,
  documentsWritten: (limit) => `Too many documents written in a single function execution (limit: ${String(limit)}). Split up your writes into multiple functions.`,
  bytesWritten: (limit) => `Too many bytes written in a single function execution (limit: ${String(limit)} bytes). Split up your writes into multiple functions.`,
  databaseQueries: (limit) => `Too many reads in a single function execution (limit: ${String(limit)}). ${READ_ADVICE}`,
  functionsScheduled: (limit) => `Too many functions scheduled by this mutation (limit: ${String(limit)})`,
  scheduledFunctionArgsBytes: (limit) => `Too large total size of the arguments of scheduled functions (limit: ${String(limit)} bytes)`,
};

/** Stands for an index of all tables: who found a table missing has read its name here. */
const NEW_TABLES = 0;

// Creation times of one transaction differ by the smallest step that floats of this size have.
const CREATION_STEP_MS = 2 ** -12;

/** When a commit takes place: a timestamp in nanoseconds that only grows, and the newest creation time given so far. */
export type Clock = { ts: bigint; lastCreationTime: number };

export type StoredDocument = { doc: number; json: string };

export class Transaction {
  readonly connection: Connection;
  readonly schema: Schema;
  readonly reads = new ReadSet();
  readonly writes = new WriteSet();
  readonly used: Record<LimitName, number> = {
    documentsRead: 0,
    bytesRead: 0,
    documentsWritten: 0,
    bytesWritten: 0,
    databaseQueries: 0,
    functionsScheduled: 0,
    scheduledFunctionArgsBytes: 0,
  };
  catalog: Catalog;
  /** Ids of the storage files that a commit frees. */
  readonly deletedFiles: string[] = [];
  /** Ids of the storage files that are of no use without the commit. */
  readonly storedFiles: string[] = [];
  readonly #clock: Clock | null;

  /** @param clock of the commit to be, null for a transaction that only reads */
  constructor(connection: Connection, catalog: Catalog, schema: Schema, clock: Clock | null) {
    this.connection = connection;
    this.catalog = catalog;
    this.schema = schema;
    this.#clock = clock;
  }

  get commitTs(): bigint | undefined {
    return this.#clock?.ts;
  }

  charge(limit: LimitName, amount: number): void {
    this.used[limit] += amount;
    if (this.used[limit] > LIMITS[limit]) throw new DeveloperError(LIMIT_MESSAGES[limit](LIMITS[limit]));
  }

  recordRange(range: ReadRange): ReadRange {
    this.reads.ranges.push(range);
    return range;
  }

  recordMissingTable(name: string): void {
    const key = encodeKey([name]);
    this.recordRange({ index: NEW_TABLES, lower: key, upper: afterPrefix(key) });
  }

  recordDocument(json: string): void {
    this.charge("documentsRead", 1);
    this.charge("bytesRead", json.length);
  }

  /** Read one document by its id; null when there is none. */
  get(table: Table, id: string): StoredDocument | null {
    const key = encodeKey([id]);
    this.recordRange({ index: -table.number, lower: key, upper: afterPrefix(key) });
    this.charge("databaseQueries", 1);
    const row = this.connection.get("SELECT doc, value FROM documents WHERE table_number = ? AND id = ?", table.number, id);
    if (row === undefined) return null;
    const json = row["value"] as string;
    this.recordDocument(json);
    return { doc: row["doc"] as number, json };
  }

  #tableForWriting(name: string): Table {
    const known = this.catalog.table(name);
    if (known !== undefined) return known;
    if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name)) {
      throw new DeveloperError(`Invalid argument \`table\` for \`db.insert\`: Invalid table name "${name}". Use a letter, then up to 63 letters, digits and underscores.`);
    }
    // Other transactions must not see the table before the commit.
    this.catalog = this.catalog.fork();
    this.writes.addKey(NEW_TABLES, encodeKey([name]));
    return this.catalog.createTable(this.connection, name);
  }

  #nextCreationTime(): number {
    const clock = this.#clock;
    if (clock === null) throw new DeveloperError("A query cannot write to the database.");
    const now = Number(clock.ts / 1000n) / 1000;
    clock.lastCreationTime = Math.max(now, clock.lastCreationTime + CREATION_STEP_MS);
    return clock.lastCreationTime;
  }

  /** Insert a document; gives its id. */
  insert(tableName: string, value: Fields): string {
    const table = this.#tableForWriting(tableName);
    const id = newId(table.number);
    const creationTime = this.#nextCreationTime();
    const fields = this.#checked(table, value, id, creationTime);
    const json = stringify(fields);
    const { lastInsertRowid } = this.connection.run(
      "INSERT INTO documents (table_number, id, value) VALUES (?, ?, ?)",
      table.number,
      id,
      json,
    );
    this.#chargeWrite(json);
    this.writes.addKey(-table.number, encodeKey([id]));
    for (const index of table.indexes) this.#addEntry(index, lastInsertRowid, fields);
    return id;
  }

  /** Put a new value in the place of a document's old one. */
  update(table: Table, id: string, stored: StoredDocument, value: Fields): void {
    const before = decodeFields(JSON.parse(stored.json));
    const fields = this.#checked(table, value, id, before["_creationTime"] as number);
    const json = stringify(fields);
    this.connection.run("UPDATE documents SET value = ? WHERE doc = ?", json, stored.doc);
    this.#chargeWrite(json);
    this.writes.addKey(-table.number, encodeKey([id]));
    for (const index of table.indexes) {
      if (this.#isUnchanged(index, before, fields)) continue;
      this.#removeEntry(index, stored.doc, before);
      this.#addEntry(index, stored.doc, fields);
    }
  }

  /** Delete a document and its index entries. */
  remove(table: Table, id: string, stored: StoredDocument): void {
    const before = decodeFields(JSON.parse(stored.json));
    this.connection.run("DELETE FROM documents WHERE doc = ?", stored.doc);
    this.#chargeWrite("");
    this.writes.addKey(-table.number, encodeKey([id]));
    for (const index of table.indexes) this.#removeEntry(index, stored.doc, before);
  }

  /** A document of a system table, for the deployment's own use: not checked, not counted as read. */
  systemDocument(tableName: typeof STORAGE_TABLE | typeof SCHEDULED_TABLE, id: string): (StoredDocument & { table: Table }) | null {
    const table = this.catalog.table(tableName) as Table;
    const row = this.connection.get("SELECT doc, value FROM documents WHERE table_number = ? AND id = ?", table.number, id);
    return row === undefined ? null : { table, doc: row["doc"] as number, json: row["value"] as string };
  }

  #chargeWrite(json: string): void {
    this.charge("documentsWritten", 1);
    this.charge("bytesWritten", json.length);
  }

  #isUnchanged(index: Index, before: Fields, after: Fields): boolean {
    if (index.definition.kind !== "database") return false;
    const key = documentKey(before, index.definition.fields);
    if (!key.equals(documentKey(after, index.definition.fields))) return false;
    // The entry stays, but whoever read it has to learn of the new value.
    this.writes.addKey(index.id, key);
    return true;
  }

  #addEntry(index: Index, doc: number, fields: Fields): void {
    const key = addToIndex(this.connection, index, doc, fields);
    if (key !== null) this.writes.addKey(index.id, key);
    if (index.definition.kind === "search") {
      const entry = searchEntry(index.definition, fields);
      if (entry !== null) this.writes.addSearchEntry(index.id, entry);
    }
  }

  #removeEntry(index: Index, doc: number, fields: Fields): void {
    const { definition } = index;
    if (definition.kind === "database") {
      const key = documentKey(fields, definition.fields);
      this.connection.run("DELETE FROM entries WHERE index_id = ? AND key = ?", index.id, key);
      this.writes.addKey(index.id, key);
    } else if (definition.kind === "search") {
      const entry = searchEntry(definition, fields);
      if (entry === null) return;
      removeSearchEntry(this.connection, index.id, doc, entry);
      this.writes.addSearchEntry(index.id, entry);
    } else if (vectorEntry(definition, fields) !== null) {
      this.connection.run("DELETE FROM vectors WHERE index_id = ? AND doc = ?", index.id, doc);
    }
  }

  /** The document as it will be kept: system fields set, own fields checked against names, size and schema. */
  #checked(table: Table, value: Fields, id: string, creationTime: number): Fields {
    const own = newFields();
    const kept = newFields();
    kept["_creationTime"] = creationTime;
    kept["_id"] = id;
    for (const [name, content] of Object.entries(value)) {
      if (name === "_id" || name === "_creationTime") {
        if (content !== kept[name]) {
          throw new DeveloperError(`Provided \`${name}\` field value ${JSON.stringify(content)} does not match the document's \`${name}\` field ${JSON.stringify(kept[name])}`);
        }
        continue;
      }
      if (name.startsWith("_")) {
        throw new DeveloperError(`Field "${name}" starts with an underscore, which is only allowed for system fields like "_id"`);
      }
      own[name] = content;
      kept[name] = content;
    }
    const size = sizeOf(kept);
    if (size > MAX_DOCUMENT_BYTES) {
      throw new DeveloperError(`Value is too large (${formatBytes(size)} > maximum size ${formatBytes(MAX_DOCUMENT_BYTES)})`);
    }
    const definition = this.schema.validate ? this.schema.tables.get(table.name) : undefined;
    const problem = definition === undefined ? null : checkValue(definition.document, own, this.catalog.nameOf);
    if (problem !== null) {
      throw new DeveloperError(`Failed to insert or update a document in table "${table.name}" because it does not match the schema: ${problem}`);
    }
    return kept;
  }
}
