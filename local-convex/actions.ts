/** Runs actions and HTTP actions in a thread of their own, and answers what they ask of the deployment. */

import { Worker } from "node:worker_threads";

import type { Answer, Ending, FromActions, HttpRequest, HttpResponse, ThreadData, ToActions } from "./action_messages.ts";
import type { Call, Engine, Result } from "./engine.ts";
import { DeveloperError, FunctionError, messageOf } from "./errors.ts";
import { type Identity, attributesJson } from "./identity.ts";
import type { Log } from "./isolate.ts";
import { cancelJob, scheduleJob } from "./jobs.ts";
import { splitIndexName } from "./query.ts";
import { type FunctionInfo, handleOf, resolveAddress } from "./registry.ts";
import type { RequestMetadata } from "./syscalls.ts";
import { decode, encode } from "./values.ts";
import { type VectorQuery, runVectorSearch } from "./vectors.ts";

type Frame = { info: FunctionInfo | null; identity: Identity; request: RequestMetadata };
type Running = { frame: Frame; settle: (ending: Ending) => void };
type Args = Record<string, unknown>;
/** A response whose body ends early, with the signal, when its thread dies. */
export type HttpAnswer = (HttpResponse & { ok: true; died: AbortSignal }) | (Ending & { ok: false });

const ACTION_TIMEOUT_MS = 600_000;
const PING_MS = 1_000;
/** A thread that lets so many pings pass computes without pause: no other action comes to its turn. */
const MISSED_PINGS = 10;
const MAX_HEAP_MB = 512;
export const INTERRUPTED = "Transient error while executing action";

export class ActionRunner {
  readonly #engine: Engine;
  readonly #thread: ThreadData;
  readonly #log: Log;
  readonly #running = new Map<number, Running>();
  #worker: { thread: Worker; died: AbortController } | null = null;
  #lastCall = 0;
  #pings: NodeJS.Timeout | null = null;
  #missed = 0;
  #stopped = false;

  /** @param bundle the address of the bundled modules */
  constructor(engine: Engine, bundle: string, log: Log, isLogging: boolean) {
    this.#engine = engine;
    this.#thread = { bundle, log: isLogging };
    this.#log = log;
  }

  /** Start the thread, so that the first action need not wait for it. */
  warm(): void {
    this.#startThread();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#pings !== null) clearInterval(this.#pings);
    void this.#worker?.thread.terminate();
  }

  #startThread(): { thread: Worker; died: AbortController } {
    if (this.#worker !== null) return this.#worker;
    const thread = new Worker(new URL("./action_thread.ts", import.meta.url), { workerData: this.#thread, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    const worker = { thread, died: new AbortController() };
    this.#worker = worker;
    this.#missed = 0;
    thread.on("message", (message: FromActions) => {
      this.#receive(message);
    });
    thread.on("error", (thrown) => process.stderr.write(`the thread of actions failed: ${messageOf(thrown)}\n`));
    thread.on("exit", () => {
      if (this.#worker === worker) this.#worker = null;
      worker.died.abort();
      // All of them ran in that thread: a new one starts only with a later call.
      for (const { settle } of [...this.#running.values()]) settle({ ok: false, message: INTERRUPTED });
    });
    // What keeps the process alive is the server.
    thread.unref();
    return worker;
  }

  #post(message: ToActions): void {
    this.#worker?.thread.postMessage(message);
  }

  #receive(message: FromActions): void {
    switch (message.kind) {
      case "pong":
        this.#missed = 0;
        return;
      case "log":
        this.#log(message.level, [message.text]);
        return;
      case "end":
        this.#running.get(message.call)?.settle(message.ending);
        return;
      default:
        void this.#answer(message);
    }
  }

  async #answer({ kind, id, call, operation, args }: FromActions & { kind: "syscall" | "jsSyscall" }): Promise<void> {
    let answer: Answer;
    try {
      const frame = this.#running.get(call)?.frame;
      if (frame === undefined) throw new Error("The Convex context can only be used while an action runs.");
      const value = kind === "syscall" ? await this.#asyncSyscall(frame, operation, JSON.parse(args as string) as Args) : await this.#jsSyscall(operation, args as Args);
      answer = { ok: true, value };
    } catch (thrown) {
      const data = thrown instanceof FunctionError ? thrown.data : undefined;
      answer = data === undefined ? { ok: false, message: messageOf(thrown) } : { ok: false, message: messageOf(thrown), data: JSON.stringify(data) };
    }
    this.#post({ kind: "answer", id, answer });
  }

  /** Every second while something runs; a thread that does not answer for long is ended, and all that runs in it. */
  #ping(): void {
    if (this.#missed >= MISSED_PINGS) {
      process.stderr.write(`an action computed for more than ${String(MISSED_PINGS)} s without a pause; the actions that were running are ended\n`);
      void this.#worker?.thread.terminate();
      return;
    }
    this.#missed += 1;
    this.#post({ kind: "ping" });
  }

  #start(frame: Frame, message: (call: number) => ToActions): Promise<Ending> {
    if (this.#stopped) return Promise.resolve({ ok: false, message: INTERRUPTED });
    this.#lastCall += 1;
    const call = this.#lastCall;
    this.#startThread();
    this.#pings ??= setInterval(() => {
      this.#ping();
    }, PING_MS);
    return new Promise((resolve) => {
      const settle = (ending: Ending): void => {
        clearTimeout(deadline);
        this.#running.delete(call);
        if (this.#running.size === 0 && this.#pings !== null) {
          clearInterval(this.#pings);
          this.#pings = null;
          this.#missed = 0;
        }
        resolve(ending);
      };
      const deadline = setTimeout(() => {
        settle({ ok: false, message: `Function execution timed out (maximum duration: ${String(ACTION_TIMEOUT_MS / 1000)}s)` });
      }, ACTION_TIMEOUT_MS);
      this.#running.set(call, { frame, settle });
      this.#post(message(call));
    });
  }

  async run(info: FunctionInfo, args: string, { identity, request }: Call): Promise<Result> {
    const { module, name } = info;
    const ending = await this.#start({ info, identity, request }, (call) => ({ kind: "run", call, module, name, requestId: request.requestId, args }));
    if (ending.ok) return this.#engine.checkOutcome(info, { ok: true, value: ending.value as string });
    return this.#engine.checkOutcome(info, ending);
  }

  /** Run the handler of an HTTP route, found by `path` in the router that a module exports. */
  async runHttp(module: string, path: string, httpRequest: HttpRequest, identity: Identity, request: RequestMetadata): Promise<HttpAnswer> {
    const { died } = this.#startThread();
    const ending = await this.#start({ info: null, identity, request }, (call) => ({ kind: "http", call, module, path, request: httpRequest }));
    return ending.ok ? { ...(ending.value as HttpResponse), ok: true, died: died.signal } : ending;
  }

  #call({ identity, request }: Frame, args: Args): Call {
    return { path: resolveAddress(args), args: args["args"], identity, request, internal: true };
  }

  #unwrap(result: Result): string {
    if (result.ok) return JSON.stringify(encode(result.value));
    const error = new FunctionError(result.message, result.data === undefined ? undefined : encode(result.data));
    throw error;
  }

  async #asyncSyscall(frame: Frame, operation: string, args: Args): Promise<string> {
    const engine = this.#engine;
    switch (operation) {
      case "1.0/actions/query":
        return this.#unwrap((await engine.runQuery(this.#call(frame, args))).result);
      case "1.0/actions/mutation":
        return this.#unwrap((await engine.runMutation(this.#call(frame, args))).result);
      case "1.0/actions/action":
        return this.#unwrap(await engine.runAction(this.#call(frame, args)));
      case "1.0/actions/schedule": {
        const path = resolveAddress(args);
        return JSON.stringify(await engine.write((transaction) => scheduleJob(transaction, engine.registry, path, args["args"], Number(args["ts"]), Date.now())));
      }
      case "1.0/actions/cancel_job":
        await engine.write((transaction) => {
          cancelJob(transaction, decode(args["id"]));
        });
        return "null";
      case "1.0/actions/vectorSearch":
        return JSON.stringify({ results: this.#vectorSearch(args["query"] as VectorQuery) });
      case "1.0/getUserIdentity":
        return attributesJson(frame.identity);
      case "1.0/createFunctionHandle":
        return JSON.stringify(handleOf(resolveAddress(args)));
      case "1.0/getFunctionMetadata": {
        const { info } = frame;
        return JSON.stringify({ name: info === null ? "http" : `${info.module}:${info.name}`, componentPath: "" });
      }
      case "1.0/getDeploymentMetadata":
        return JSON.stringify({ name: engine.deploymentName, region: null, class: "s16" });
      case "1.0/getRequestMetadata": {
        const { request, identity } = frame;
        return JSON.stringify({ ...request, authToken: identity.kind === "user" ? identity.token : null });
      }
      default:
        return this.#storageSyscall(operation, args);
    }
  }

  async #storageSyscall(operation: string, args: Args): Promise<string> {
    const { files } = this.#engine;
    switch (operation) {
      case "1.0/storageGetUrl": {
        const file = this.#engine.read((transaction) => files.find(transaction, args["storageId"], "storage.getUrl"));
        return JSON.stringify(file === null ? null : files.urlOf(file));
      }
      case "1.0/storageGetMetadata": {
        const file = this.#engine.read((transaction) => files.find(transaction, args["storageId"], "storage.getMetadata"));
        return JSON.stringify(
          file === null ? null : { storageId: args["storageId"], sha256: file.sha256, size: file.size, contentType: file.contentType },
        );
      }
      case "1.0/storageGenerateUploadUrl":
        return JSON.stringify(files.uploadUrl());
      case "1.0/storageDelete":
        await this.#engine.write((transaction) => {
          files.remove(transaction, args["storageId"]);
        });
        return "null";
      default:
        throw new DeveloperError(`Unknown async operation ${operation}`);
    }
  }

  #vectorSearch(query: VectorQuery): { _id: string; _score: number }[] {
    const { tableName, name } = splitIndexName(query.indexName);
    return this.#engine.read((transaction) => {
      const index = transaction.catalog.table(tableName)?.indexes.find((candidate) => candidate.definition.name === name);
      if (index === undefined) throw new DeveloperError(`Index ${query.indexName} not found.`);
      if (index.definition.kind !== "vector") throw new DeveloperError(`Index ${query.indexName} is not a vector index.`);
      const vector = decode(query.vector);
      return runVectorSearch(transaction.connection, index.id, index.definition, { ...query, vector });
    });
  }

  async #jsSyscall(operation: string, args: Args): Promise<unknown> {
    const { files } = this.#engine;
    if (operation === "storage/storeBlob") {
      const given = args["blob"] as Blob;
      const { sha256 } = (args["options"] ?? {}) as { sha256?: string };
      const blob = files.receiveBytes(new Uint8Array(await given.arrayBuffer()));
      try {
        files.checkHash(blob, sha256);
      } catch (thrown) {
        throw new Error(messageOf(thrown));
      }
      return this.#engine.write((transaction) => files.adopt(transaction, blob, given.type === "" ? null : given.type));
    }
    if (operation === "storage/getBlob") {
      const file = this.#engine.read((transaction) => files.find(transaction, args["storageId"], "storage.get"));
      return file === null ? null : new Blob([new Uint8Array(files.read(file.uuid))], { type: file.contentType ?? "" });
    }
    throw new DeveloperError(`Unknown operation ${operation}`);
  }
}
