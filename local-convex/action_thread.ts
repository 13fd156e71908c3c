/**
 * The thread in which actions and HTTP actions run: ordinary asynchronous code in Node's own realm. It is a thread of
 * its own so that an action that computes for ever, exits, or throws where nobody listens takes nothing else with it.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";
import { parentPort, workerData } from "node:worker_threads";

import type { Answer, Ending, FromActions, HttpResponse, ThreadData, ToActions } from "./action_messages.ts";
import { describeThrown, messageOf } from "./errors.ts";

type Modules = Record<string, () => Promise<Record<string, unknown>>>;
type Action = { invokeAction?: (requestId: string, args: string) => Promise<string> };
type HttpHandler = { invokeHttpAction: (request: Request) => Promise<unknown> };
type Router = { lookup: (path: string, method: string) => [HttpHandler, string, string] | null };

const LOG_LEVELS = ["debug", "log", "info", "warn", "error", "trace", "table", "dir"] as const;

const port = parentPort as NonNullable<typeof parentPort>;
const { bundle, log } = workerData as ThreadData;
const calls = new AsyncLocalStorage<number>();
const waiting = new Map<number, (answer: Answer) => void>();
let lastId = 0;

function post(message: FromActions, transfer: ReadableStream[] = []): void {
  port.postMessage(message, transfer);
}

function ask(kind: "syscall" | "jsSyscall", operation: string, args: unknown): Promise<unknown> {
  const call = calls.getStore();
  if (call === undefined) return Promise.reject(new Error("The Convex context can only be used while an action runs."));
  lastId += 1;
  const id = lastId;
  post({ kind, id, call, operation, args });
  return new Promise((resolve, reject) => {
    waiting.set(id, (answer) => {
      if (answer.ok) resolve(answer.value);
      else reject(answer.data === undefined ? new Error(answer.message) : Object.assign(new Error(answer.message), { data: JSON.parse(answer.data) as unknown }));
    });
  });
}

(globalThis as { Convex?: object }).Convex = {
  syscall: (operation: string): never => {
    throw new Error(`Unknown operation ${operation}: the database is only available in queries and mutations.`);
  },
  asyncSyscall: (operation: string, args: string) => ask("syscall", operation, args),
  jsSyscall: (operation: string, args: unknown) => ask("jsSyscall", operation, args),
};

for (const level of LOG_LEVELS) {
  globalThis.console[level] = (...args: unknown[]): void => {
    if (log) post({ kind: "log", level, text: args.map((arg) => (typeof arg === "string" ? arg : inspect(arg))).join(" ") });
  };
}

const modules = import(bundle).then((loaded) => (loaded as { loaders: Modules }).loaders);

async function moduleOf(path: string): Promise<Record<string, unknown>> {
  const load = (await modules)[path];
  if (load === undefined) throw new Error(`The module ${path} is not there.`);
  return load();
}

async function runAction({ module, name, requestId, args }: ToActions & { kind: "run" }): Promise<string> {
  const { invokeAction } = (await moduleOf(module))[name] as Action;
  if (invokeAction === undefined) throw new Error(`${module}.js:${name} cannot be run as action.`);
  return invokeAction(requestId, args);
}

async function runHttp({ module, path, request }: ToActions & { kind: "http" }): Promise<HttpResponse> {
  const { method, headers, body, url } = request;
  const [handler] = ((await moduleOf(module))["default"] as Router).lookup(path, method === "HEAD" ? "GET" : method) ?? [];
  const response = await handler?.invokeHttpAction(new Request(url, { method, headers, body }));
  if (!(response instanceof Response)) throw new Error("the HTTP action did not return a Response");
  return { status: response.status, headers: [...response.headers], body: response.body };
}

async function run(message: ToActions & { kind: "run" | "http" }): Promise<void> {
  const { call } = message;
  let ending: Ending;
  try {
    const value = await calls.run(call, (): Promise<string | HttpResponse> => (message.kind === "run" ? runAction(message) : runHttp(message)));
    ending = { ok: true, value };
  } catch (thrown) {
    ending = { ok: false, ...describeThrown(thrown) };
  }
  const body = ending.ok && typeof ending.value !== "string" ? ending.value.body : null;
  try {
    post({ kind: "end", call, ending }, body === null ? [] : [body]);
  } catch (thrown) {
    post({ kind: "end", call, ending: { ok: false, ...describeThrown(thrown) } });
  }
}

port.on("message", (message: ToActions) => {
  switch (message.kind) {
    case "run":
    case "http":
      void run(message);
      return;
    case "answer":
      waiting.get(message.id)?.(message.answer);
      waiting.delete(message.id);
      return;
    case "ping":
      post({ kind: "pong" });
  }
});

// What an action throws where nobody listens is its own affair.
process.on("uncaughtException", (thrown: unknown) => process.stderr.write(`an action threw where nobody listened: ${messageOf(thrown)}\n`));
process.on("unhandledRejection", (reason) => process.stderr.write(`a promise was rejected and nobody listened: ${messageOf(reason)}\n`));
