/** Runs functions: checks the call, opens the transaction, runs the code, checks the result, commits, tells who watches. */

import type { ActionRunner } from "./actions.ts";
import { type Catalog, reconcileCatalog } from "./catalog.ts";
import type { Cursor, CursorSeal } from "./cursors.ts";
import type { Connection, Database } from "./database.ts";
import { DeveloperError, FunctionError, messageOf } from "./errors.ts";
import type { Files } from "./files.ts";
import type { ReadSet, WriteSet } from "./footprint.ts";
import type { Identity } from "./identity.ts";
import type { Isolate, Outcome } from "./isolate.ts";
import { type FunctionInfo, type FunctionType, type Registry, TYPE_NAMES } from "./registry.ts";
import type { Schema } from "./schema.ts";
import { type Frame, type RequestMetadata, TransactionSyscalls } from "./syscalls.ts";
import { type Clock, Transaction } from "./transaction.ts";
import { checkValue } from "./validators.ts";
import { MAX_VALUE_BYTES, type Value, decode, encode, formatBytes, isFields, sizeOf } from "./values.ts";

/** A call of a function; `internal` calls come from functions, jobs and crons and may reach internal functions. */
export type Call = { path: string; args: unknown; identity: Identity; request: RequestMetadata; internal: boolean };
export type Success = { ok: true; value: Value };
export type Failed = { ok: false; message: string; data?: Value };
export type Result = Success | Failed;
export type QueryAnswer = { result: Result; reads: ReadSet; journal: string | null; ts: bigint };
export type MutationAnswer = { result: Result; ts: bigint | null };
type Prepared = { info: FunctionInfo; args: string };

const MAX_DEPTH = 8;
export const NOT_RUN = "The function was cancelled before it ran.";

export type EngineParts = {
  database: Database;
  schema: Schema;
  registry: Registry;
  isolate: Isolate;
  files: Files;
  seal: CursorSeal;
  deploymentName: string;
};

/** The single object as which arguments arrive: `{...}` or `[{...}]`. */
function argumentObject(args: unknown): { value: Value; json: string } {
  const list = Array.isArray(args) ? (args as unknown[]) : [args];
  const given = list[0] ?? {};
  const value = decode(given);
  if (list.length > 1 || !isFields(value)) throw new DeveloperError("The arguments to a Convex function must be an object.");
  // Functions are invoked with a list of one object.
  return { value, json: JSON.stringify([given]) };
}

function then<Input, Output>(value: Input | Promise<Input>, next: (value: Input) => Output | Promise<Output>): Output | Promise<Output> {
  return value instanceof Promise ? value.then(next) : next(value);
}

export class Engine {
  readonly database: Database;
  readonly registry: Registry;
  readonly files: Files;
  readonly deploymentName: string;
  readonly seal: CursorSeal;
  /** Called after every commit with what it wrote. */
  onCommit: (writes: WriteSet, ts: bigint) => void = () => undefined;
  actions: ActionRunner | null = null;
  #catalog: Catalog;
  readonly #schema: Schema;
  readonly #isolate: Isolate;
  readonly #clock: Clock;
  #committedTs: bigint;
  #mutationTurn: Promise<void> | null = null;

  constructor(parts: EngineParts) {
    this.database = parts.database;
    this.registry = parts.registry;
    this.files = parts.files;
    this.seal = parts.seal;
    this.deploymentName = parts.deploymentName;
    this.#schema = parts.schema;
    this.#isolate = parts.isolate;
    const { writer } = this.database;
    writer.run("BEGIN IMMEDIATE");
    this.#catalog = reconcileCatalog(writer, parts.schema);
    writer.run("COMMIT");
    const [ts, created] = (this.database.meta("clock") ?? "0 0").split(" ");
    this.#clock = { ts: BigInt(ts ?? 0), lastCreationTime: Number(created) };
    this.#committedTs = this.#tick();
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** The timestamp of the newest commit. */
  get ts(): bigint {
    return this.#committedTs;
  }

  #tick(): bigint {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.#clock.ts = now > this.#clock.ts ? now : this.#clock.ts + 1n;
    return this.#clock.ts;
  }

  #reading(connection: Connection): Transaction {
    return new Transaction(connection, this.#catalog, this.#schema, null);
  }

  /** Check that a call may be made: visibility, type, arguments. */
  prepare(call: Call, type: FunctionType, catalog: Catalog = this.#catalog): Prepared {
    const info = this.registry.find(call.path);
    const mayCall = info !== undefined && info.type !== "httpAction" && (info.isPublic || call.internal || call.identity.kind === "admin");
    if (!mayCall) {
      throw new FunctionError(
        `Could not find public function for '${call.path}'. Did you forget to run \`npx convex dev\` or \`npx convex deploy\`?`,
      );
    }
    if (info.type !== type) {
      throw new FunctionError(`Trying to execute ${info.module}.js:${info.name} as ${TYPE_NAMES[type]}, but it is defined as ${TYPE_NAMES[info.type]}.`);
    }
    let args: ReturnType<typeof argumentObject>;
    try {
      args = argumentObject(call.args);
    } catch (thrown) {
      throw new FunctionError(`ArgumentValidationError: ${messageOf(thrown)}`);
    }
    const size = sizeOf(args.value);
    if (size > MAX_VALUE_BYTES) {
      throw new FunctionError(`Arguments for ${call.path} are too large (actual: ${formatBytes(size)}, limit: ${formatBytes(MAX_VALUE_BYTES)})`);
    }
    const problem = checkValue(info.args, args.value, catalog.nameOf);
    if (problem !== null) throw new FunctionError(`ArgumentValidationError: ${problem}`);
    return { info, args: args.json };
  }

  /** Turn what the code gave into a result, checked against the `returns` validator. */
  checkOutcome(info: FunctionInfo, outcome: Outcome, catalog: Catalog = this.#catalog): Result {
    if (!outcome.ok) {
      if (outcome.data === undefined) return { ok: false, message: outcome.message };
      try {
        return { ok: false, message: outcome.message, data: decode(JSON.parse(outcome.data)) };
      } catch (thrown) {
        return { ok: false, message: `ConvexError with invalid data: ${messageOf(thrown)}` };
      }
    }
    let value: Value;
    try {
      value = decode(JSON.parse(outcome.value));
    } catch (thrown) {
      return { ok: false, message: `Function ${info.module}.js:${info.name} return value invalid: ${messageOf(thrown)}` };
    }
    const size = sizeOf(value);
    if (size > MAX_VALUE_BYTES) {
      return {
        ok: false,
        message: `Function ${info.module}.js:${info.name} return value is too large (actual: ${formatBytes(size)}, limit: ${formatBytes(MAX_VALUE_BYTES)})`,
      };
    }
    const problem = info.returns === null ? null : checkValue(info.returns, value, catalog.nameOf);
    return problem === null ? { ok: true, value } : { ok: false, message: `ReturnsValidationError: ${problem}` };
  }

  #execute(frame: Frame, args: string): Result | Promise<Result> {
    const { exported, type } = frame.info;
    const invoke = type === "query" ? exported.invokeQuery : exported.invokeMutation;
    if (invoke === undefined) throw new FunctionError(`${frame.info.module}.js:${frame.info.name} cannot be run as ${type}.`);
    const syscalls = new TransactionSyscalls(frame, { ...this.#surroundings });
    const outcome = this.#isolate.run(invoke, args, syscalls, frame.nowMs);
    return then(outcome, (finished) => this.checkOutcome(frame.info, finished, frame.transaction.catalog));
  }

  get #surroundings() {
    return {
      registry: this.registry,
      files: this.files,
      seal: this.seal,
      deploymentName: this.deploymentName,
      runNested: (frame: Frame, type: string, path: string, args: unknown) => this.#runNested(frame, type, path, args),
    };
  }

  /** `ctx.runQuery` and `ctx.runMutation` inside a query or mutation: in the caller's transaction, writes undone on failure. */
  #runNested(outer: Frame, type: string, path: string, args: unknown): string | Promise<string> {
    if (outer.depth >= MAX_DEPTH) throw new DeveloperError(`Functions call each other more than ${String(MAX_DEPTH)} levels deep.`);
    const fresh = type === "snapshotQuery";
    const wanted = type === "mutation" ? "mutation" : "query";
    if (wanted === "mutation" && outer.info.type !== "mutation") throw new DeveloperError("Cannot call a mutation function from a query function");
    const { transaction } = outer;
    const call: Call = { path, args, identity: outer.identity, request: outer.request, internal: true };
    const { info, args: json } = this.prepare(call, wanted, transaction.catalog);
    const reader = fresh ? this.database.snapshot() : null;
    const inner: Frame = {
      ...outer,
      info,
      depth: outer.depth + 1,
      previousEnd: null,
      pageEnd: null,
      transaction: reader === null ? transaction : this.#reading(reader),
    };
    const savepoint = `level${String(inner.depth)}`;
    if (wanted === "mutation") transaction.connection.run(`SAVEPOINT ${savepoint}`);
    const { catalog } = transaction;
    const deletedBefore = transaction.deletedFiles.length;
    const finish = (result: Result): string => {
      if (reader !== null) this.database.release(reader);
      if (wanted === "mutation") {
        if (!result.ok) {
          transaction.connection.run(`ROLLBACK TO ${savepoint}`);
          transaction.catalog = catalog;
          transaction.deletedFiles.length = deletedBefore;
        }
        transaction.connection.run(`RELEASE ${savepoint}`);
      }
      if (result.ok) return JSON.stringify(encode(result.value));
      throw new FunctionError(result.message, result.data === undefined ? undefined : encode(result.data));
    };
    return then(this.#execute(inner, json), finish);
  }

  #frame(call: Call, info: FunctionInfo, transaction: Transaction, previousEnd: Cursor | null): Frame {
    return { info, transaction, identity: call.identity, nowMs: Date.now(), request: call.request, depth: 0, previousEnd, pageEnd: null };
  }

  /** A journal that another deployment wrote is none: the page begins anew. */
  #readJournal(journal: string | null): Cursor | null {
    try {
      return journal === null ? null : this.seal.read(journal);
    } catch {
      return null;
    }
  }

  /** Run a query on the newest snapshot. */
  runQuery(call: Call, journal: string | null = null): QueryAnswer | Promise<QueryAnswer> {
    const { ts } = this;
    const connection = this.database.snapshot();
    const transaction = this.#reading(connection);
    const answer = (result: Result, pageEnd: Cursor | null): QueryAnswer => {
      this.database.release(connection);
      return { result, reads: transaction.reads, journal: pageEnd === null ? null : this.seal.write(pageEnd), ts };
    };
    try {
      const { info, args } = this.prepare(call, "query");
      const frame = this.#frame(call, info, transaction, this.#readJournal(journal));
      return then(this.#execute(frame, args), (result) => answer(result, frame.pageEnd));
    } catch (thrown) {
      return answer({ ok: false, message: messageOf(thrown) }, null);
    }
  }

  /** One transaction at a time may write; a turn is waited for only when the one before takes real time. */
  #inTurn<Output>(work: () => Output | Promise<Output>): Output | Promise<Output> {
    if (this.#mutationTurn !== null) return this.#mutationTurn.then(() => this.#inTurn(work));
    const output = work();
    if (!(output instanceof Promise)) return output;
    const turn = output.then(
      () => undefined,
      () => undefined,
    );
    this.#mutationTurn = turn.then(() => {
      this.#mutationTurn = null;
    });
    return output;
  }

  /**
   * Change the database in one transaction, all or nothing.
   *
   * @param work its result decides: committed when `keep` says so
   */
  #write<Output>(work: (transaction: Transaction) => Output | Promise<Output>, keep: (output: Output) => boolean): { output: Output; ts: bigint | null } | Promise<{ output: Output; ts: bigint | null }> {
    return this.#inTurn(() => {
      const { writer } = this.database;
      const clockBefore = { ...this.#clock };
      this.#tick();
      const transaction = new Transaction(writer, this.#catalog, this.#schema, this.#clock);
      writer.run("BEGIN IMMEDIATE");
      const undo = (): void => {
        writer.rollback();
        for (const uuid of transaction.storedFiles) this.files.discard(uuid);
        // Nothing was committed at the new timestamp, but it was seen by the code: it must not be given again.
        this.#clock.lastCreationTime = clockBefore.lastCreationTime;
      };
      const finish = (output: Output): { output: Output; ts: bigint | null } => {
        if (!keep(output)) {
          undo();
          return { output, ts: null };
        }
        this.database.setMeta("clock", `${String(this.#clock.ts)} ${String(this.#clock.lastCreationTime)}`);
        writer.run("COMMIT");
        this.#catalog = transaction.catalog;
        const { ts } = this.#clock;
        this.#committedTs = ts;
        for (const uuid of transaction.deletedFiles) this.files.discard(uuid);
        if (!transaction.writes.isEmpty) this.onCommit(transaction.writes, ts);
        return { output, ts };
      };
      try {
        const output = work(transaction);
        if (!(output instanceof Promise)) return finish(output);
        return output.then(finish, (thrown: unknown) => {
          undo();
          throw thrown;
        });
      } catch (thrown) {
        undo();
        throw thrown;
      }
    });
  }

  /** A write of the deployment itself (files, jobs), without any function. */
  async write<Output>(work: (transaction: Transaction) => Output): Promise<Output> {
    return (await this.#write(work, () => true)).output;
  }

  /**
   * Run a mutation.
   *
   * @param atCommit called inside the transaction when the mutation succeeded, to commit something along with it
   * @param mayRun asked inside the transaction before the mutation runs; without its consent nothing happens
   */
  runMutation(
    call: Call,
    atCommit?: (transaction: Transaction, result: Success) => void,
    mayRun: (transaction: Transaction) => boolean = () => true,
  ): MutationAnswer | Promise<MutationAnswer> {
    const work = (transaction: Transaction): Result | Promise<Result> => {
      if (!mayRun(transaction)) return { ok: false, message: NOT_RUN };
      let prepared: Prepared;
      try {
        prepared = this.prepare(call, "mutation");
      } catch (thrown) {
        return { ok: false, message: messageOf(thrown) };
      }
      const frame = this.#frame(call, prepared.info, transaction, null);
      return then(this.#execute(frame, prepared.args), (result) => {
        if (result.ok) atCommit?.(transaction, result);
        return result;
      });
    };
    return then(this.#write(work, (result) => result.ok), ({ output, ts }) => ({ result: output, ts }));
  }

  async runAction(call: Call): Promise<Result> {
    if (this.actions === null) throw new Error("no action runner");
    try {
      const { info, args } = this.prepare(call, "action");
      return await this.actions.run(info, args, call);
    } catch (thrown) {
      return { ok: false, message: messageOf(thrown) };
    }
  }

  /** Read something outside of any function, from the newest snapshot. */
  read<Output>(work: (transaction: Transaction) => Output): Output {
    const connection = this.database.snapshot();
    try {
      return work(this.#reading(connection));
    } finally {
      this.database.release(connection);
    }
  }
}
