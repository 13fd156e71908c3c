/** What the deployment and its thread of actions say to each other. */

export type HttpRequest = { url: string; method: string; headers: [string, string][]; body: Uint8Array<ArrayBuffer> | null };
export type HttpResponse = { status: number; headers: [string, string][]; body: ReadableStream<Uint8Array> | null };
export type Failure = { message: string; data?: string };
export type Answer = { ok: true; value: unknown } | ({ ok: false } & Failure);
/** How a call ended: with the JSON of a value, with the response of an HTTP action, or with an error. */
export type Ending = { ok: true; value: string | HttpResponse } | ({ ok: false } & Failure);

export type ToActions =
  | { kind: "run"; call: number; module: string; name: string; requestId: string; args: string }
  | { kind: "http"; call: number; module: string; path: string; request: HttpRequest }
  | { kind: "answer"; id: number; answer: Answer }
  | { kind: "ping" };
export type FromActions =
  | { kind: "syscall" | "jsSyscall"; id: number; call: number; operation: string; args: unknown }
  | { kind: "end"; call: number; ending: Ending }
  | { kind: "log"; level: string; text: string }
  | { kind: "pong" };

export type ThreadData = { bundle: string; log: boolean };
