/**
 * The global scope of queries and mutations. Bundled in front of the functions and run inside their own V8 context:
 * deterministic (time stands still, randomness is seeded), without timers or network.
 */

import { describeThrown } from "./errors.ts";
import type { Bridge, Task } from "./isolate.ts";

declare const __bridge: Bridge;

type Waiting = { resolve: (value: unknown) => void; reject: (error: unknown) => void };
type Scope = Record<string, unknown>;

const bridge = __bridge;
const scope = globalThis as unknown as Scope;
delete scope["__bridge"];
const waiting = new Map<number, Waiting>();

function start(task: Task & { kind: "start" }): void {
  let result: Promise<string>;
  try {
    result = task.invoke(task.args);
  } catch (thrown) {
    task.settle({ ok: false, ...describeThrown(thrown) });
    return;
  }
  result.then(
    (value) => {
      task.settle({ ok: true, value });
    },
    (thrown: unknown) => {
      task.settle({ ok: false, ...describeThrown(thrown) });
    },
  );
}

function failure({ message, data }: { message: string; data?: string }): Error {
  const error = new Error(message);
  return data === undefined ? error : Object.assign(error, { data: JSON.parse(data) as unknown });
}

scope["__step"] = (): void => {
  for (const task of bridge.takeTasks()) {
    if (task.kind === "start") {
      start(task);
      continue;
    }
    const waiter = waiting.get(task.id);
    waiting.delete(task.id);
    if (task.kind === "resolve") waiter?.resolve(task.value);
    else waiter?.reject(failure(task));
  }
};

function later(id: number, convert: (value: unknown) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    waiting.set(id, {
      resolve: (value) => {
        resolve(convert(value));
      },
      reject,
    });
  });
}

scope["Convex"] = {
  syscall(operation: string, args: string): string {
    const answer = bridge.syscall(operation, args);
    if (typeof answer === "string") return answer;
    throw failure(answer);
  },
  asyncSyscall(operation: string, args: string): Promise<unknown> {
    const answer = bridge.asyncSyscall(operation, args);
    if (typeof answer === "string") return Promise.resolve(answer);
    if (typeof answer === "number") return later(answer, (value) => value);
    return Promise.reject(failure(answer));
  },
  jsSyscall(operation: string): never {
    throw new Error(`Unknown operation ${operation}: it is only available in actions.`);
  },
};

function isolateDate(): void {
  const real = Date;
  real.now = () => bridge.now();
  const frozen = new Proxy(real, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [bridge.now()] : args, newTarget) as object,
    apply: (target) => new target(bridge.now()).toString(),
  });
  real.prototype.constructor = frozen;
  scope["Date"] = frozen;
}
isolateDate();
Math.random = () => bridge.random();

// Buffers made outside belong to another realm, where `instanceof ArrayBuffer` fails: copy them in.
function ownBytes(foreign: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(foreign);
}

class IsolateTextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array<ArrayBuffer> {
    return ownBytes(bridge.encodeText(text));
  }

  encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
    return bridge.encodeTextInto(text, into);
  }
}

class IsolateBlob {
  readonly size: number;
  readonly type: string;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(parts: Iterable<unknown> = [], options: { type?: string } = {}) {
    const chunks = [...parts].map((part) => {
      if (part instanceof IsolateBlob) return part.#bytes;
      if (part instanceof ArrayBuffer) return new Uint8Array(part);
      if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      return ownBytes(bridge.encodeText(String(part)));
    });
    this.#bytes = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
    let offset = 0;
    for (const chunk of chunks) {
      this.#bytes.set(chunk, offset);
      offset += chunk.length;
    }
    this.size = this.#bytes.length;
    this.type = (options.type ?? "").toLowerCase();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return Promise.resolve(this.#bytes.slice().buffer);
  }

  bytes(): Promise<Uint8Array> {
    return Promise.resolve(this.#bytes.slice());
  }

  text(): Promise<string> {
    return Promise.resolve(bridge.decodeText(this.#bytes));
  }

  slice(from?: number, to?: number, type?: string): IsolateBlob {
    return new IsolateBlob([this.#bytes.slice(from, to)], { type: type ?? "" });
  }
}

function clone(value: unknown, seen: Map<unknown, unknown>): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw new TypeError("structuredClone: this value cannot be cloned");
  if (typeof value !== "object" || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const remember = <Copy>(copy: Copy): Copy => {
    seen.set(value, copy);
    return copy;
  };
  if (value instanceof Date) return remember(new Date(value.getTime()));
  if (value instanceof RegExp) return remember(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return remember(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const make = value.constructor as new (buffer: ArrayBuffer) => unknown;
    return remember(new make(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength) as ArrayBuffer));
  }
  if (value instanceof Map) {
    const copy = remember(new Map<unknown, unknown>());
    for (const [key, item] of value) copy.set(clone(key, seen), clone(item, seen));
    return copy;
  }
  if (value instanceof Set) {
    const copy = remember(new Set<unknown>());
    for (const item of value) copy.add(clone(item, seen));
    return copy;
  }
  if (value instanceof Error) return remember(Object.assign(new Error(value.message), { name: value.name }));
  const copy = remember((Array.isArray(value) ? [] : {}) as Scope);
  for (const [key, item] of Object.entries(value)) copy[key] = clone(item, seen);
  return copy;
}

const subtle = new Proxy(
  {},
  {
    get:
      (_, method) =>
      (...args: unknown[]): Promise<unknown> =>
        later(bridge.subtleCrypto(String(method), args), (value) => (bridge.isBytes(value) ? ownBytes(value).buffer : value)),
  },
);

function refuse(what: string): (...args: unknown[]) => never {
  return () => {
    throw new Error(
      `Can't use ${what} in queries and mutations. Please consider using an action. See https://docs.convex.dev/functions/actions for more details.`,
    );
  };
}

function logger(level: string): (...args: unknown[]) => void {
  return (...args) => {
    bridge.log(level, args);
  };
}

Object.assign(scope, bridge.webClasses, {
  self: globalThis,
  process: { env: { ...bridge.env } },
  navigator: { userAgent: "Convex/1.0" },
  console: Object.fromEntries(["debug", "log", "info", "warn", "error", "trace", "time", "timeEnd", "timeLog", "assert", "table", "dir", "group", "groupEnd"].map((level) => [level, logger(level)])),
  TextEncoder: IsolateTextEncoder,
  Blob: IsolateBlob,
  structuredClone: (value: unknown) => clone(value, new Map()),
  queueMicrotask: (callback: () => void) => {
    void Promise.resolve().then(callback);
  },
  performance: { now: () => bridge.now(), timeOrigin: 0 },
  crypto: { subtle, getRandomValues: bridge.getRandomValues, randomUUID: bridge.randomUUID },
  fetch: refuse("fetch()"),
  setTimeout: refuse("setTimeout"),
  setInterval: refuse("setInterval"),
  setImmediate: refuse("setImmediate"),
  clearTimeout: () => undefined,
  clearInterval: () => undefined,
});
