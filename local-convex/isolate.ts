/**
 * Runs queries and mutations in a V8 context of their own, with its own microtask queue.
 *
 * Every syscall of a query or mutation is answered from SQLite at once, so a run is one synchronous stretch: nothing
 * interleaves with it, and V8's own watchdog ends it when it computes too long, endless loops included. Nested
 * functions (`ctx.runMutation`) and `crypto.subtle` are answered between two stretches of the same run.
 */

import { webcrypto } from "node:crypto";
import { isAnyArrayBuffer } from "node:util/types";
import vm from "node:vm";

import { FunctionError, messageOf } from "./errors.ts";

export type Outcome = { ok: true; value: string } | { ok: false; message: string; data?: string };
export type Task =
  | { kind: "start"; invoke: (args: string) => Promise<string>; args: string; settle: (outcome: Outcome) => void }
  | { kind: "resolve"; id: number; value: unknown }
  | { kind: "reject"; id: number; message: string; data?: string };

type Failure = { message: string; data?: string };
type Later = () => unknown;

/** What the running function can ask of the deployment. A function as the answer is called after the stretch. */
export type Syscalls = {
  call(operation: string, args: string): string;
  callAsync(operation: string, args: string): string | (() => string | Promise<string>);
};

export type Bridge = {
  takeTasks(): Task[];
  syscall(operation: string, args: string): string | Failure;
  asyncSyscall(operation: string, args: string): string | number | Failure;
  subtleCrypto(method: string, args: unknown[]): number;
  isBytes(value: unknown): value is Uint8Array;
  encodeText(text: string): Uint8Array;
  encodeTextInto(text: string, into: Uint8Array): { read: number; written: number };
  decodeText(bytes: Uint8Array): string;
  now(): number;
  random(): number;
  getRandomValues: <View extends Uint8Array>(view: View) => View;
  randomUUID: () => string;
  log(level: string, args: unknown[]): void;
  env: Record<string, string | undefined>;
  webClasses: Record<string, unknown>;
};

export type Log = (level: string, args: unknown[]) => void;

const USER_TIME_MS = 1_000;
/** On top of the user's time: the machine may be busy, and syscalls within a stretch take time of their own. */
const GRACE_MS = 1_500;
/** When syscalls of one stretch have taken this long, the others wait for the next stretch and its fresh watchdog. */
const SYSCALL_SHARE_MS = 500;
const TIMED_OUT: Outcome = { ok: false, message: "Function execution timed out (maximum duration: 1s)" };
const NEVER_RESOLVED: Outcome = { ok: false, message: "Returned promise will never resolve" };

class Run {
  readonly syscalls: Syscalls;
  readonly nowMs: number;
  tasks: Task[];
  readonly queue: { id: number; answer: Later }[] = [];
  outcome: Outcome | null = null;
  userMs = 0;
  stretchSyscallMs = 0;
  #seed: number;

  constructor(syscalls: Syscalls, nowMs: number, invoke: (args: string) => Promise<string>, args: string) {
    this.syscalls = syscalls;
    this.nowMs = nowMs;
    this.#seed = (Math.random() * 2 ** 32) >>> 0;
    this.tasks = [{ kind: "start", invoke, args, settle: (outcome) => (this.outcome ??= outcome) }];
  }

  // mulberry32: small, seeded anew for every run.
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

function failureOf(thrown: unknown): Failure {
  const message = messageOf(thrown);
  return thrown instanceof FunctionError && thrown.data !== undefined ? { message, data: JSON.stringify(thrown.data) } : { message };
}

const WEB_CLASSES = [
  "URL", "URLSearchParams", "TextDecoder", "Headers", "Request", "Response", "FormData", "AbortController", "AbortSignal", "Event",
  "EventTarget", "DOMException", "ReadableStream", "WritableStream", "TransformStream", "atob", "btoa",
];

export class Isolate {
  readonly #context: vm.Context;
  readonly #step: vm.Script;
  readonly #log: Log;
  #current: Run | null = null;
  #lastId = 0;

  constructor(env: Record<string, string | undefined>, log: Log) {
    this.#log = log;
    this.#context = vm.createContext({ __bridge: this.#bridge(env) }, { microtaskMode: "afterEvaluate", name: "convex functions" });
    this.#step = new vm.Script("__step()", { filename: "convex-step.js" });
  }

  /** Evaluate the bundle and give its modules' loaders by module path. */
  load(bundle: string): Record<string, () => Record<string, unknown>> {
    new vm.Script(bundle, { filename: "convex-functions.js" }).runInContext(this.#context);
    return (this.#context as { __loaders?: Record<string, () => Record<string, unknown>> }).__loaders ?? {};
  }

  #bridge(env: Record<string, string | undefined>): Bridge {
    const encoder = new TextEncoder();
    return {
      takeTasks: () => this.#current?.tasks.splice(0) ?? [],
      syscall: (operation, args) => this.#timed((run) => run.syscalls.call(operation, args)),
      asyncSyscall: (operation, args) => this.#asyncSyscall(operation, args),
      subtleCrypto: (method, args) => this.#defer(() => subtleCrypto(method, args)),
      isBytes: (value): value is Uint8Array => value instanceof Uint8Array,
      encodeText: (text) => encoder.encode(text),
      encodeTextInto: (text, into) => encoder.encodeInto(text, into),
      decodeText: (bytes) => Buffer.from(bytes).toString("utf8"),
      now: () => this.#current?.nowMs ?? Date.now(),
      random: () => this.#current?.random() ?? Math.random(),
      getRandomValues: (view) => webcrypto.getRandomValues(view),
      randomUUID: () => webcrypto.randomUUID(),
      log: this.#log,
      env,
      webClasses: Object.fromEntries(WEB_CLASSES.map((name) => [name, (globalThis as Record<string, unknown>)[name]])),
    };
  }

  #timed<Answer>(call: (run: Run) => Answer): Answer | Failure {
    const run = this.#current;
    if (run === null) return { message: "The Convex database and auth objects can only be used while a function runs." };
    const before = performance.now();
    try {
      return call(run);
    } catch (thrown) {
      return failureOf(thrown);
    } finally {
      run.stretchSyscallMs += performance.now() - before;
    }
  }

  #defer(answer: Later): number {
    this.#lastId += 1;
    this.#current?.queue.push({ id: this.#lastId, answer });
    return this.#lastId;
  }

  #asyncSyscall(operation: string, args: string): string | number | Failure {
    const run = this.#current;
    // Syscalls are answered in the order in which they were made.
    if (run !== null && (run.queue.length > 0 || run.stretchSyscallMs > SYSCALL_SHARE_MS)) {
      return this.#defer(() => {
        const answer = run.syscalls.callAsync(operation, args);
        return typeof answer === "string" ? answer : answer();
      });
    }
    const answer = this.#timed((current) => current.syscalls.callAsync(operation, args));
    return typeof answer === "function" ? this.#defer(answer) : answer;
  }

  /**
   * Run an exported function (`invokeQuery`, `invokeMutation`).
   *
   * @returns its outcome; a promise only when it used something that takes real time
   */
  run(invoke: (args: string) => Promise<string>, args: string, syscalls: Syscalls, nowMs: number): Outcome | Promise<Outcome> {
    return this.#drive(new Run(syscalls, nowMs, invoke, args));
  }

  #drive(run: Run): Outcome | Promise<Outcome> {
    for (;;) {
      this.#stretch(run);
      if (run.outcome !== null) return run.outcome;
      const next = run.queue.shift();
      if (next === undefined) return NEVER_RESOLVED;
      let answer: unknown;
      try {
        answer = next.answer();
      } catch (thrown) {
        run.tasks.push({ kind: "reject", id: next.id, ...failureOf(thrown) });
        continue;
      }
      if (answer instanceof Promise) return this.#continueAfter(run, next.id, answer);
      run.tasks.push({ kind: "resolve", id: next.id, value: answer });
    }
  }

  async #continueAfter(run: Run, id: number, answer: Promise<unknown>): Promise<Outcome> {
    try {
      run.tasks.push({ kind: "resolve", id, value: await answer });
    } catch (thrown) {
      run.tasks.push({ kind: "reject", id, ...failureOf(thrown) });
    }
    return this.#drive(run);
  }

  #stretch(run: Run): void {
    const outer = this.#current;
    this.#current = run;
    run.stretchSyscallMs = 0;
    const wallBefore = performance.now();
    const cpuBefore = process.threadCpuUsage();
    try {
      this.#step.runInContext(this.#context, { timeout: Math.ceil(Math.max(1, USER_TIME_MS - run.userMs) + GRACE_MS) });
    } catch (thrown) {
      // The watchdog's error may come from the functions' own realm, whose Error is another.
      const isTimeout = (thrown as Partial<NodeJS.ErrnoException> | null)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
      run.outcome = isTimeout ? TIMED_OUT : { ok: false, message: `Uncaught ${messageOf(thrown)}` };
    } finally {
      this.#current = outer;
    }
    const cpu = process.threadCpuUsage(cpuBefore);
    const spentMs = Math.min(performance.now() - wallBefore, (cpu.user + cpu.system) / 1000);
    run.userMs += Math.max(0, spentMs - run.stretchSyscallMs);
    if (run.userMs > USER_TIME_MS) run.outcome = TIMED_OUT;
  }
}

async function subtleCrypto(method: string, args: unknown[]): Promise<unknown> {
  const operations = webcrypto.subtle as unknown as Record<string, ((...args: unknown[]) => Promise<unknown>) | undefined>;
  const operation = operations[method];
  if (operation === undefined) throw new Error(`crypto.subtle.${method} is not a function`);
  const result = await operation.apply(webcrypto.subtle, args);
  return isAnyArrayBuffer(result) ? new Uint8Array(result) : result;
}
