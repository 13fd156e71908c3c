/** The SQLite file: its tables, connections, prepared statements, and the few rows of bookkeeping. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";

export type Row = Record<string, SQLOutputValue>;

const FORMAT_VERSION = 1;

const TABLES = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tables (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS indexes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, table_number INTEGER NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL,
  UNIQUE (table_number, name));
CREATE TABLE IF NOT EXISTS documents (
  doc INTEGER PRIMARY KEY, table_number INTEGER NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
  UNIQUE (table_number, id));
CREATE TABLE IF NOT EXISTS entries (
  index_id INTEGER NOT NULL, key BLOB NOT NULL, doc INTEGER NOT NULL, PRIMARY KEY (index_id, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS search_terms (
  index_id INTEGER NOT NULL, term TEXT NOT NULL, doc INTEGER NOT NULL, frequency INTEGER NOT NULL,
  PRIMARY KEY (index_id, term, doc)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS search_documents (
  index_id INTEGER NOT NULL, doc INTEGER NOT NULL, length INTEGER NOT NULL, filters TEXT NOT NULL,
  PRIMARY KEY (index_id, doc)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vectors (
  index_id INTEGER NOT NULL, doc INTEGER NOT NULL, vector BLOB NOT NULL, filters TEXT NOT NULL,
  PRIMARY KEY (index_id, doc)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
  id TEXT PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL, size INTEGER NOT NULL, content_type TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, due_ms REAL NOT NULL, path TEXT NOT NULL, args TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_by_state_and_due ON jobs (state, due_ms);
CREATE TABLE IF NOT EXISTS finished_jobs (id TEXT PRIMARY KEY, finished_ms REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS crons (
  name TEXT PRIMARY KEY, definition TEXT NOT NULL, next_ms REAL NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session_requests (
  session TEXT NOT NULL, request INTEGER NOT NULL, ts TEXT NOT NULL, result TEXT NOT NULL, finished_ms INTEGER NOT NULL,
  PRIMARY KEY (session, request)) WITHOUT ROWID;
`;

/** One SQLite connection with its prepared statements. */
export class Connection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    // NORMAL in WAL mode: a commit is in the operating system's hands before it is acknowledged, so the death of this
    // process loses nothing; only a power cut could lose the last moments, and never consistency.
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32768;");
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  run(sql: string, ...parameters: SQLInputValue[]): { changes: number; lastInsertRowid: number } {
    const { changes, lastInsertRowid } = this.#prepare(sql).run(...parameters);
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }

  get(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...parameters);
  }

  all(sql: string, ...parameters: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...parameters);
  }

  /** Undo the transaction, unless SQLite has done so itself (it does when the disk is full). */
  rollback(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }

  script(sql: string): void {
    this.#database.exec(sql);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

/** The one writing connection and as many reading ones as there are queries under way. */
export class Database {
  readonly writer: Connection;
  readonly #file: string;
  readonly #idleReaders: Connection[] = [];
  readonly #readers = new Set<Connection>();

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, "convex.sqlite");
    this.writer = new Connection(this.#file);
    this.writer.script(TABLES);
    const version = this.meta("format");
    if (version === undefined) this.setMeta("format", String(FORMAT_VERSION));
    else if (version !== String(FORMAT_VERSION)) throw new Error(`the data in ${folder} has format ${version}, this program reads ${String(FORMAT_VERSION)}`);
  }

  meta(key: string): string | undefined {
    return this.writer.get("SELECT value FROM meta WHERE key = ?", key)?.["value"] as string | undefined;
  }

  setMeta(key: string, value: string): void {
    this.writer.run("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value);
  }

  /** A connection with a snapshot of everything committed so far; give it back with `release`. */
  snapshot(): Connection {
    const reader = this.#idleReaders.pop() ?? new Connection(this.#file);
    this.#readers.add(reader);
    reader.run("BEGIN");
    // SQLite takes the snapshot at the first read, not at BEGIN.
    reader.get("SELECT 1 FROM meta");
    return reader;
  }

  release(reader: Connection): void {
    reader.run("COMMIT");
    this.#readers.delete(reader);
    this.#idleReaders.push(reader);
  }

  close(): void {
    for (const reader of [...this.#idleReaders, ...this.#readers]) reader.close();
    this.writer.close();
  }
}
