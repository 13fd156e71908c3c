/** What a transaction read and wrote, as ranges and points of index keys: the ground of live queries. */

import { type SearchEntry, type SearchQuery, couldMatch } from "./search.ts";

/** Keys from `lower` (included) to `upper` (excluded) of an index; `by_id` of table N has the number -N. */
export type ReadRange = { index: number; lower: Buffer; upper: Buffer };

export class ReadSet {
  readonly ranges: ReadRange[] = [];
  readonly searches: { index: number; query: SearchQuery }[] = [];

  absorb(other: ReadSet): void {
    this.ranges.push(...other.ranges);
    this.searches.push(...other.searches);
  }
}

export class WriteSet {
  readonly keys = new Map<number, Buffer[]>();
  readonly searchEntries = new Map<number, SearchEntry[]>();

  addKey(index: number, key: Buffer): void {
    const keys = this.keys.get(index);
    if (keys === undefined) this.keys.set(index, [key]);
    else keys.push(key);
  }

  addSearchEntry(index: number, entry: SearchEntry): void {
    const entries = this.searchEntries.get(index);
    if (entries === undefined) this.searchEntries.set(index, [entry]);
    else entries.push(entry);
  }

  get isEmpty(): boolean {
    return this.keys.size === 0 && this.searchEntries.size === 0;
  }
}

/** Read sets of many readers, arranged by index, to find the readers that a commit concerns. */
export class ReadIndex<Reader> {
  readonly #ranges = new Map<number, Map<Reader, ReadRange[]>>();
  readonly #searches = new Map<number, Map<Reader, SearchQuery[]>>();
  readonly #indexesOf = new Map<Reader, Set<number>>();

  set(reader: Reader, reads: ReadSet): void {
    this.delete(reader);
    const indexes = new Set<number>();
    for (const range of reads.ranges) {
      collect(this.#ranges, range.index, reader, range);
      indexes.add(range.index);
    }
    for (const { index, query } of reads.searches) {
      collect(this.#searches, index, reader, query);
      indexes.add(index);
    }
    this.#indexesOf.set(reader, indexes);
  }

  delete(reader: Reader): void {
    for (const index of this.#indexesOf.get(reader) ?? []) {
      this.#ranges.get(index)?.delete(reader);
      this.#searches.get(index)?.delete(reader);
    }
    this.#indexesOf.delete(reader);
  }

  /** The readers whose results the writes could change. */
  concerned(writes: WriteSet): Set<Reader> {
    const found = new Set<Reader>();
    for (const [index, keys] of writes.keys) {
      for (const [reader, ranges] of this.#ranges.get(index) ?? []) {
        if (!found.has(reader) && ranges.some((range) => keys.some((key) => inRange(key, range)))) found.add(reader);
      }
    }
    for (const [index, entries] of writes.searchEntries) {
      for (const [reader, queries] of this.#searches.get(index) ?? []) {
        if (!found.has(reader) && queries.some((query) => entries.some((entry) => couldMatch(query, entry)))) found.add(reader);
      }
    }
    return found;
  }
}

function inRange(key: Buffer, range: ReadRange): boolean {
  return Buffer.compare(key, range.lower) >= 0 && Buffer.compare(key, range.upper) < 0;
}

function collect<Reader, Item>(into: Map<number, Map<Reader, Item[]>>, index: number, reader: Reader, item: Item): void {
  let readers = into.get(index);
  if (readers === undefined) {
    readers = new Map();
    into.set(index, readers);
  }
  const items = readers.get(reader);
  if (items === undefined) readers.set(reader, [item]);
  else items.push(item);
}
