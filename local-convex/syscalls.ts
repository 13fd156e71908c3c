/** The syscalls that `convex/server` makes on behalf of a query or mutation. */

import type { Table } from "./catalog.ts";
import type { Cursor, CursorSeal } from "./cursors.ts";
import { DeveloperError } from "./errors.ts";
import type { Files } from "./files.ts";
import { type Identity, attributesJson } from "./identity.ts";
import { decodeId } from "./ids.ts";
import type { Syscalls } from "./isolate.ts";
import { cancelJob, scheduleJob } from "./jobs.ts";
import { PageLimitReached, QueryRun, type QueryRow, type SerializedQuery } from "./query.ts";
import { type FunctionInfo, type Registry, handleOf, resolveAddress } from "./registry.ts";
import { LIMITS, type LimitName, type StoredDocument, type Transaction } from "./transaction.ts";
import { type Fields, type Json, MAX_ARRAY_LENGTH, decode, decodeFields, newFields, stringify } from "./values.ts";

/** Where a call came from, as `ctx.meta.getRequestMetadata()` tells it. */
export type RequestMetadata = { ip: string | null; userAgent: string | null; requestId: string; scheduledFunctionId: string | null };

/** What a running query or mutation is surrounded by. */
export type Frame = {
  info: FunctionInfo;
  transaction: Transaction;
  identity: Identity;
  nowMs: number;
  request: RequestMetadata;
  depth: number;
  /** Where the page of an earlier run of the same live query ended. */
  previousEnd: Cursor | null;
  /** Where the page of this run ended. */
  pageEnd: Cursor | null;
};

export type Surroundings = {
  registry: Registry;
  files: Files;
  seal: CursorSeal;
  deploymentName: string;
  /** Run another query or mutation inside the frame's transaction. */
  runNested(frame: Frame, type: string, path: string, args: unknown): string | Promise<string>;
};

type Args = Record<string, unknown>;
type Handler = (args: Args) => string | (() => string | Promise<string>);

const SPLIT_RECOMMENDED_ROWS = (MAX_ARRAY_LENGTH * 3) / 4;

function guardSystemTable(name: string, wantsSystem: boolean): void {
  if (wantsSystem && !name.startsWith("_")) throw new DeveloperError("User tables cannot be accessed with db.system.");
  if (!wantsSystem && name.startsWith("_")) throw new DeveloperError("System tables can only be accessed with db.system.");
}

export class TransactionSyscalls implements Syscalls {
  readonly #frame: Frame;
  readonly #around: Surroundings;
  readonly #queries = new Map<number, QueryRun>();
  #lastQuery = 0;
  readonly #handlers: Record<string, Handler>;

  constructor(frame: Frame, around: Surroundings) {
    this.#frame = frame;
    this.#around = around;
    const reading: Record<string, Handler> = {
      "1.0/get": (args) => this.#get(args),
      "1.0/queryStreamNext": (args) => this.#queryStreamNext(args),
      "1.0/queryPage": (args) => this.#queryPage(args),
      "1.0/count": (args) => this.#count(args),
      "1.0/getUserIdentity": () => attributesJson(frame.identity),
      "1.0/storageGetUrl": (args) => this.#storageGetUrl(args),
      "1.0/storageGetMetadata": (args) => this.#storageGetMetadata(args),
      "1.0/runUdf": (args) => () => around.runNested(frame, String(args["udfType"]), resolveAddress(args), args["args"]),
      "1.0/createFunctionHandle": (args) => JSON.stringify(handleOf(resolveAddress(args))),
      "1.0/getFunctionMetadata": () => JSON.stringify({ name: `${frame.info.module}:${frame.info.name}`, componentPath: "" }),
      "1.0/getDeploymentMetadata": () => JSON.stringify({ name: around.deploymentName, region: null, class: "s16" }),
      "1.0/getTransactionMetrics": () => this.#metrics(),
    };
    this.#handlers = frame.info.type === "mutation" ? { ...reading, ...this.#writing() } : reading;
  }

  #writing(): Record<string, Handler> {
    const { transaction } = this.#frame;
    return {
      "1.0/insert": (args) => this.#insert(args),
      "1.0/shallowMerge": (args) => this.#patch(args),
      "1.0/replace": (args) => this.#replace(args),
      "1.0/remove": (args) => this.#remove(args),
      "1.0/schedule": (args) =>
        JSON.stringify(
          scheduleJob(transaction, this.#around.registry, resolveAddress(args), args["args"], Number(args["ts"]), this.#frame.nowMs),
        ),
      "1.0/cancel_job": (args) => {
        cancelJob(transaction, decode(args["id"]));
        return "null";
      },
      "1.0/storageGenerateUploadUrl": () => JSON.stringify(this.#around.files.uploadUrl()),
      "1.0/storageDelete": (args) => {
        this.#around.files.remove(transaction, args["storageId"]);
        return "null";
      },
      "1.0/storageStore": (args) => this.#storageStore(args),
      "1.0/storageGet": (args) => this.#storageGet(args),
      "1.0/getRequestMetadata": () =>
        JSON.stringify({ ...this.#frame.request, authToken: this.#frame.identity.kind === "user" ? this.#frame.identity.token : null }),
    };
  }

  call(operation: string, argsJson: string): string {
    const args = JSON.parse(argsJson) as Args;
    switch (operation) {
      case "1.0/queryStream": {
        this.#lastQuery += 1;
        this.#queries.set(this.#lastQuery, new QueryRun(this.#frame.transaction, args["query"] as SerializedQuery));
        return JSON.stringify({ queryId: this.#lastQuery });
      }
      case "1.0/queryCleanup":
        return JSON.stringify(this.#queries.delete(Number(args["queryId"])));
      case "1.0/db/normalizeId":
        return JSON.stringify({ id: this.#normalizeId(String(args["table"]), String(args["idString"])) });
      case "1.0/getSnapshotTs":
        return stringify(this.#frame.transaction.commitTs ?? BigInt(Math.trunc(this.#frame.nowMs)) * 1_000_000n);
      default:
        throw new DeveloperError(`Unknown operation ${operation}`);
    }
  }

  callAsync(operation: string, argsJson: string): string | (() => string | Promise<string>) {
    const handler = this.#handlers[operation];
    if (handler === undefined) throw new DeveloperError(`Unknown async operation ${operation}`);
    return handler(JSON.parse(argsJson) as Args);
  }

  #normalizeId(table: string, id: string): string | null {
    const decoded = decodeId(id);
    const known = this.#frame.transaction.catalog.table(table);
    return !("error" in decoded) && decoded.table === known?.number ? id : null;
  }

  /** Take apart the id (and the table, where it is named) that a database operation was given. */
  #target(method: string, args: Args): { id: string; table: Table | null } {
    const id = args["id"];
    if (typeof id !== "string") throw new DeveloperError(`Invalid argument \`id\` for \`db.${method}\`: expected a string, got ${JSON.stringify(id)}`);
    const decoded = decodeId(id);
    if ("error" in decoded) throw new DeveloperError(`Invalid argument \`id\` for \`db.${method}\`: ${decoded.error}`);
    const { catalog } = this.#frame.transaction;
    const table = catalog.numbered(decoded.table) ?? null;
    const expected = args["table"];
    if (typeof expected === "string" && table !== null && table.name !== expected) {
      throw new DeveloperError(`Invalid argument \`id\` for \`db.${method}\`: expected an ID of table "${expected}", got the ID "${id}" of table "${table.name}"`);
    }
    return { id, table };
  }

  #get(args: Args): string {
    const { id, table } = this.#target("get", args);
    if (table === null) return "null";
    guardSystemTable(table.name, args["isSystem"] === true);
    return this.#frame.transaction.get(table, id)?.json ?? "null";
  }

  /** The document that a write is about. */
  #existing(method: string, verb: string, args: Args): { id: string; table: Table; stored: StoredDocument } {
    const { id, table } = this.#target(method, args);
    if (table === null) throw new DeveloperError(`Invalid argument \`id\` for \`db.${method}\`: the ID "${id}" belongs to no table`);
    guardSystemTable(table.name, false);
    const stored = this.#frame.transaction.get(table, id);
    if (stored === null) throw new DeveloperError(`${verb} on nonexistent document ID ${id}`);
    return { id, table, stored };
  }

  #fields(method: string, json: unknown): Fields {
    try {
      return decodeFields(json, this.#frame.transaction.commitTs);
    } catch (thrown) {
      if (thrown instanceof DeveloperError) throw new DeveloperError(`Invalid argument \`value\` for \`db.${method}\`: ${thrown.message}`);
      throw thrown;
    }
  }

  #insert(args: Args): string {
    const table = String(args["table"]);
    guardSystemTable(table, false);
    return JSON.stringify({ _id: this.#frame.transaction.insert(table, this.#fields("insert", args["value"])) });
  }

  #patch(args: Args): string {
    const { id, table, stored } = this.#existing("patch", "Update", args);
    const json = args["value"];
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new DeveloperError("Invalid argument `value` for `db.patch`: Value must be an Object");
    }
    const isUnset = (content: unknown): boolean => typeof content === "object" && content !== null && "$undefined" in content;
    const given = Object.entries(json as Record<string, unknown>);
    const patch = this.#fields("patch", Object.fromEntries(given.filter(([, content]) => !isUnset(content))));
    const fields = newFields();
    Object.assign(fields, decodeFields(JSON.parse(stored.json)), patch);
    for (const [name, content] of given) if (isUnset(content)) Reflect.deleteProperty(fields, name);
    this.#frame.transaction.update(table, id, stored, fields);
    return "null";
  }

  #replace(args: Args): string {
    const { id, table, stored } = this.#existing("replace", "Replace", args);
    this.#frame.transaction.update(table, id, stored, this.#fields("replace", args["value"]));
    return "null";
  }

  #remove(args: Args): string {
    const { id, table, stored } = this.#existing("delete", "Delete", args);
    this.#frame.transaction.remove(table, id, stored);
    return "null";
  }

  #queryStreamNext(args: Args): string {
    const queryId = Number(args["queryId"]);
    const query = this.#queries.get(queryId);
    if (query === undefined) throw new DeveloperError("in-progress query not found");
    const row = query.next();
    if (row !== null) return `{"value":${row.json},"done":false}`;
    this.#queries.delete(queryId);
    return '{"value":null,"done":true}';
  }

  #count(args: Args): string {
    const { transaction } = this.#frame;
    const table = transaction.catalog.table(String(args["table"]));
    if (table === undefined) {
      transaction.recordMissingTable(String(args["table"]));
      return "0";
    }
    transaction.recordRange({ index: -table.number, lower: Buffer.alloc(0), upper: Buffer.from([0xff]) });
    return String(transaction.connection.get("SELECT count(*) AS count FROM documents WHERE table_number = ?", table.number)?.["count"] ?? 0);
  }

  #queryPage(args: Args): string {
    const { transaction } = this.#frame;
    const { seal } = this.#around;
    const pageSize = Number(args["pageSize"]);
    if (!Number.isInteger(pageSize) || pageSize === 0) throw new DeveloperError("Must request at least 1 document while paginating");
    const bound = (name: string): number | null => (typeof args[name] === "number" ? args[name] : null);
    const cursor = (name: string): Cursor | null => (typeof args[name] === "string" ? seal.read(args[name]) : null);
    const maximumRows = bound("maximumRowsRead");
    const maximumBytes = bound("maximumBytesRead");
    if (maximumRows === 0 || maximumBytes === 0) throw new DeveloperError("maximumRowsRead and maximumBytesRead must be greater than 0");
    const until = cursor("endCursor") ?? this.#frame.previousEnd;
    const query = new QueryRun(transaction, args["query"] as SerializedQuery, { from: cursor("cursor"), until, maximumRows, maximumBytes });
    const page: string[] = [];
    let pageStatus: "SplitRequired" | "SplitRecommended" | null = null;
    try {
      let row: QueryRow | null;
      while ((until !== null || page.length < pageSize) && (row = query.next()) !== null) page.push(row.json);
    } catch (thrown) {
      if (!(thrown instanceof PageLimitReached)) throw thrown;
      pageStatus = "SplitRequired";
    }
    const manyRows = (Math.min(maximumRows ?? LIMITS.documentsRead, LIMITS.documentsRead) * 3) / 4;
    const manyBytes = (Math.min(maximumBytes ?? LIMITS.bytesRead, LIMITS.bytesRead) * 3) / 4;
    if (query.keysRead.length > manyRows || query.bytesRead > manyBytes || page.length > SPLIT_RECOMMENDED_ROWS) {
      pageStatus ??= "SplitRecommended";
    }
    if (this.#frame.pageEnd !== null) {
      throw new DeveloperError(
        "This query or mutation function ran multiple paginated queries. Convex only supports a single paginated query in each function.",
      );
    }
    const { fingerprint, splitPoint } = query;
    const end: Cursor = until ?? { position: query.position ?? "end", fingerprint };
    this.#frame.pageEnd = end;
    const continueCursor = JSON.stringify(seal.write(end));
    const splitCursor = splitPoint === undefined ? "null" : JSON.stringify(seal.write({ position: { after: splitPoint }, fingerprint }));
    return `{"page":[${page.join(",")}],"isDone":${String(end.position === "end")},"continueCursor":${continueCursor},"splitCursor":${splitCursor},"pageStatus":${JSON.stringify(pageStatus)}}`;
  }

  #storageGetUrl(args: Args): string {
    const { files } = this.#around;
    const file = files.find(this.#frame.transaction, args["storageId"], "storage.getUrl");
    return JSON.stringify(file === null ? null : files.urlOf(file));
  }

  #storageGetMetadata(args: Args): string {
    const file = this.#around.files.find(this.#frame.transaction, args["storageId"], "storage.getMetadata");
    if (file === null) return "null";
    return JSON.stringify({ storageId: args["storageId"], sha256: file.sha256, size: file.size, contentType: file.contentType });
  }

  #storageStore(args: Args): string {
    const { files } = this.#around;
    const blob = files.receiveBytes(Buffer.from(String(args["blob"]), "base64"));
    files.checkHash(blob, args["sha256"] as string | undefined);
    const contentType = typeof args["contentType"] === "string" && args["contentType"] !== "" ? args["contentType"] : null;
    return JSON.stringify(files.adopt(this.#frame.transaction, blob, contentType));
  }

  #storageGet(args: Args): string {
    const { files } = this.#around;
    const file = files.find(this.#frame.transaction, args["storageId"], "storage.get");
    return JSON.stringify(file === null ? null : { blob: files.read(file.uuid).toString("base64"), contentType: file.contentType });
  }

  #metrics(): string {
    const { used } = this.#frame.transaction;
    const metrics: Record<string, Json> = {};
    for (const name of Object.keys(LIMITS) as LimitName[]) metrics[name] = { used: used[name], remaining: LIMITS[name] - used[name] };
    for (const name of ["filesWritten", "fileWriteBytes", "filesRead", "fileReadBytes"]) metrics[name] = { used: 0, remaining: 0 };
    return JSON.stringify(metrics);
  }
}
