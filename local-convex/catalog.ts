/** Which tables and indexes exist, by name and by number; brought in line with the schema at every start. */

import type { Connection } from "./database.ts";
import { documentKey } from "./keys.ts";
import type { IndexDefinition, Schema } from "./schema.ts";
import { searchEntry, writeSearchEntry } from "./search.ts";
import { type Fields, decodeFields } from "./values.ts";
import { vectorEntry, writeVectorEntry } from "./vectors.ts";

export type Index = { id: number; table: Table; definition: IndexDefinition };
export type Table = { number: number; name: string; indexes: Index[] };

export const STORAGE_TABLE = "_storage";
export const SCHEDULED_TABLE = "_scheduled_functions";
const SYSTEM_TABLES: readonly [number, string][] = [
  [1, STORAGE_TABLE],
  [2, SCHEDULED_TABLE],
];
const FIRST_USER_TABLE = 10001;
const BY_CREATION_TIME: IndexDefinition = { kind: "database", name: "by_creation_time", fields: [] };

/**
 * Tables and indexes as they are committed. A mutation that writes to a new table works on a `Catalog` of its own
 * (`fork`), which takes the place of this one when it commits.
 */
export class Catalog {
  readonly #byName: Map<string, Table>;
  readonly #byNumber: Map<number, Table>;

  constructor(tables: Iterable<Table> = []) {
    this.#byName = new Map();
    this.#byNumber = new Map();
    for (const table of tables) this.#add(table);
  }

  #add(table: Table): void {
    this.#byName.set(table.name, table);
    this.#byNumber.set(table.number, table);
  }

  fork(): Catalog {
    return new Catalog(this.#byName.values());
  }

  table(name: string): Table | undefined {
    return this.#byName.get(name);
  }

  numbered(number: number): Table | undefined {
    return this.#byNumber.get(number);
  }

  readonly nameOf = (number: number): string | undefined => this.#byNumber.get(number)?.name;

  tables(): IterableIterator<Table> {
    return this.#byName.values();
  }

  createTable(connection: Connection, name: string, number?: number): Table {
    const highest = connection.get("SELECT max(number) AS highest FROM tables")?.["highest"] as number | null;
    const table: Table = { number: number ?? Math.max(FIRST_USER_TABLE, (highest ?? 0) + 1), name, indexes: [] };
    connection.run("INSERT INTO tables (number, name) VALUES (?, ?)", table.number, name);
    this.#add(table);
    createIndex(connection, table, BY_CREATION_TIME);
    return table;
  }
}

function createIndex(connection: Connection, table: Table, definition: IndexDefinition): Index {
  const { lastInsertRowid } = connection.run(
    "INSERT INTO indexes (table_number, name, definition) VALUES (?, ?, ?)",
    table.number,
    definition.name,
    JSON.stringify(definition),
  );
  const index: Index = { id: lastInsertRowid, table, definition };
  table.indexes.push(index);
  return index;
}

/** Put a document into one index. */
export function addToIndex(connection: Connection, index: Index, doc: number, fields: Fields): Buffer | null {
  const { definition } = index;
  if (definition.kind === "database") {
    const key = documentKey(fields, definition.fields);
    connection.run("INSERT INTO entries (index_id, key, doc) VALUES (?, ?, ?)", index.id, key, doc);
    return key;
  }
  if (definition.kind === "search") {
    const entry = searchEntry(definition, fields);
    if (entry !== null) writeSearchEntry(connection, index.id, doc, entry);
  } else {
    const entry = vectorEntry(definition, fields);
    if (entry !== null) writeVectorEntry(connection, index.id, doc, entry);
  }
  return null;
}

function dropIndex(connection: Connection, index: Index): void {
  for (const contents of ["entries", "search_terms", "search_documents", "vectors"]) {
    connection.run(`DELETE FROM ${contents} WHERE index_id = ?`, index.id);
  }
  connection.run("DELETE FROM indexes WHERE id = ?", index.id);
  index.table.indexes.splice(index.table.indexes.indexOf(index), 1);
}

function fillIndex(connection: Connection, index: Index): void {
  const pageLength = 500;
  let last = -1;
  for (;;) {
    const rows = connection.all(
      "SELECT doc, value FROM documents WHERE table_number = ? AND doc > ? ORDER BY doc LIMIT ?",
      index.table.number,
      last,
      pageLength,
    );
    for (const row of rows) {
      last = row["doc"] as number;
      addToIndex(connection, index, last, decodeFields(JSON.parse(row["value"] as string)));
    }
    if (rows.length < pageLength) return;
  }
}

function loadCatalog(connection: Connection): Catalog {
  const tables = new Map<number, Table>();
  for (const row of connection.all("SELECT number, name FROM tables")) {
    tables.set(row["number"] as number, { number: row["number"] as number, name: row["name"] as string, indexes: [] });
  }
  for (const row of connection.all("SELECT id, table_number, definition FROM indexes ORDER BY id")) {
    const table = tables.get(row["table_number"] as number);
    const definition = JSON.parse(row["definition"] as string) as IndexDefinition;
    table?.indexes.push({ id: row["id"] as number, table, definition });
  }
  return new Catalog(tables.values());
}

/** Load the catalog and create, fill and drop tables and indexes until it agrees with the schema. */
export function reconcileCatalog(connection: Connection, schema: Schema): Catalog {
  const catalog = loadCatalog(connection);
  for (const [number, name] of SYSTEM_TABLES) {
    if (catalog.table(name) === undefined) catalog.createTable(connection, name, number);
  }
  for (const name of schema.tables.keys()) {
    if (catalog.table(name) === undefined) catalog.createTable(connection, name);
  }
  for (const table of catalog.tables()) {
    const wanted = new Map((schema.tables.get(table.name)?.indexes ?? []).map((index) => [index.name, index]));
    wanted.set(BY_CREATION_TIME.name, BY_CREATION_TIME);
    for (const index of [...table.indexes]) {
      const definition = wanted.get(index.definition.name);
      if (JSON.stringify(definition) === JSON.stringify(index.definition)) wanted.delete(index.definition.name);
      else dropIndex(connection, index);
    }
    for (const definition of wanted.values()) fillIndex(connection, createIndex(connection, table, definition));
  }
  return catalog;
}
