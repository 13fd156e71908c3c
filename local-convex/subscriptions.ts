/** Live queries: each distinct query runs once for all who watch it, and again only when what it read has changed. */

import type { Engine, QueryAnswer } from "./engine.ts";
import { HttpError } from "./errors.ts";
import { ReadIndex, type WriteSet } from "./footprint.ts";
import { type Identity, identityKey } from "./identity.ts";
import type { RequestMetadata } from "./syscalls.ts";
import { stringify } from "./values.ts";

export type Watch = { path: string; args: unknown; identity: Identity; journal: string | null; internal: boolean };

/** Something that is told when queries it watches are no longer current. */
export type Watcher = { invalidated(): void };

/** A query somebody watches, with its newest answer. */
export class LiveQuery {
  readonly watchers = new Set<Watcher>();
  readonly watch: Watch;
  key: string;
  answer: QueryAnswer | null = null;
  /** Says whether two answers are the same to a client. */
  digest = "";
  isCurrent = false;
  running: Promise<void> | null = null;
  journal: string | null;

  constructor(watch: Watch, key: string) {
    this.watch = watch;
    this.key = key;
    this.journal = watch.journal;
  }
}

const METADATA: RequestMetadata = { ip: null, userAgent: null, requestId: "", scheduledFunctionId: null };

function keyOf(watch: Watch, journal: string | null): string {
  try {
    return JSON.stringify([watch.path, watch.args, identityKey(watch.identity), journal]);
  } catch {
    throw new HttpError(400, "WSMessageInvalidJson", "Received Invalid JSON on websocket: the arguments are too nested");
  }
}

export class Subscriptions {
  readonly #engine: Engine;
  readonly #queries = new Map<string, LiveQuery>();
  readonly #reads = new ReadIndex<LiveQuery>();

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.onCommit = (writes) => {
      this.#committed(writes);
    };
  }

  get size(): number {
    return this.#queries.size;
  }

  add(watch: Watch, watcher: Watcher): LiveQuery {
    const key = keyOf(watch, watch.journal);
    let query = this.#queries.get(key);
    if (query === undefined) {
      query = new LiveQuery(watch, key);
      this.#queries.set(key, query);
    }
    query.watchers.add(watcher);
    return query;
  }

  remove(query: LiveQuery, watcher: Watcher): void {
    query.watchers.delete(watcher);
    if (query.watchers.size > 0) return;
    this.#reads.delete(query);
    if (this.#queries.get(query.key) === query) this.#queries.delete(query.key);
  }

  #committed(writes: WriteSet): void {
    const told = new Set<Watcher>();
    for (const query of this.#reads.concerned(writes)) {
      query.isCurrent = false;
      this.#reads.delete(query);
      for (const watcher of query.watchers) told.add(watcher);
    }
    for (const watcher of told) watcher.invalidated();
  }

  /** Make a query current; a promise only when that takes real time. */
  refresh(query: LiveQuery): void | Promise<void> {
    if (query.isCurrent) return;
    if (query.running !== null) return query.running;
    const { watch } = query;
    // A page that has grown keeps its end, for its watchers of before; who comes new starts with a page of its own.
    if (keyOf(watch, query.journal) !== query.key) this.#rekey(query);
    const answer = this.#engine.runQuery(
      { path: watch.path, args: watch.args, identity: watch.identity, request: METADATA, internal: watch.internal },
      query.journal,
    );
    if (!(answer instanceof Promise)) {
      this.#settle(query, answer, this.#engine.ts);
      return;
    }
    const tsBefore = this.#engine.ts;
    query.running = answer.then((settled) => {
      query.running = null;
      this.#settle(query, settled, tsBefore);
    });
    return query.running;
  }

  #rekey(query: LiveQuery): void {
    if (this.#queries.get(query.key) === query) this.#queries.delete(query.key);
    const key = keyOf(query.watch, query.journal);
    query.key = key;
    if (!this.#queries.has(key)) this.#queries.set(key, query);
  }

  #settle(query: LiveQuery, answer: QueryAnswer, tsBefore: bigint): void {
    query.answer = answer;
    query.journal = answer.journal;
    const { result } = answer;
    query.digest = result.ok ? `+${stringify(result.value)}` : `-${result.message}\n${result.data === undefined ? "" : stringify(result.data)}`;
    if (query.watchers.size === 0) return;
    this.#reads.set(query, answer.reads);
    // A commit while it ran was not compared with what it read: run it again to be sure.
    query.isCurrent = this.#engine.ts === tsBefore;
  }
}
