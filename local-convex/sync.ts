/** One client on the sync protocol: its queries, its identity, its mutations in order. */

import { randomBytes } from "node:crypto";
import type { WebSocket } from "ws";

import { isExpired } from "./auth.ts";
import type { Callers } from "./callers.ts";
import type { Call, Engine, Failed, MutationAnswer, Result } from "./engine.ts";
import { HttpError, messageOf } from "./errors.ts";
import { type Identity, NOBODY } from "./identity.ts";
import { type ClientFrame, type QueryChange, type ServerFrame, type StateModification, type StateVersion, decodeTs, encodeTs, parseFrame } from "./protocol.ts";
import { parsePath } from "./registry.ts";
import type { LiveQuery, Subscriptions, Watcher } from "./subscriptions.ts";
import type { Transaction } from "./transaction.ts";
import { type Json, type Value, decode, encode } from "./values.ts";

const PING_MS = 15_000;
const SILENCE_MS = 120_000;
const MAX_PENDING = 1_000;
const MAX_UNREAD = 100;
/** What may wait for a client that reads slowly, besides the frame that is being sent. */
const MAX_BUFFERED_BYTES = 32 << 20;
const CLOSE_POLICY = 1008;
const CLOSE_ERROR = 1011;

export type SyncParts = { engine: Engine; subscriptions: Subscriptions; callers: Callers };
type WatchedQuery = { live: LiveQuery; udfPath: string; args: unknown; sentDigest: string | null };

export function newRequestId(): string {
  return randomBytes(8).toString("hex");
}

/** An error as clients see it: the request's id, then what went wrong. */
export function publicMessage(requestId: string, failed: Failed): string {
  return `[Request ID: ${requestId}] Server Error\n${failed.message}`;
}

function errorData(failed: Failed): { errorData?: Json } {
  return failed.data === undefined ? {} : { errorData: encode(failed.data) };
}

export class SyncSession implements Watcher {
  readonly #socket: WebSocket;
  readonly #parts: SyncParts;
  readonly #remote: { ip: string | null; userAgent: string | null };
  readonly #queries = new Map<number, WatchedQuery>();
  readonly #removed = new Set<number>();
  #sessionId: string | null = null;
  #identity: Identity = NOBODY;
  /** Versions the client has asked for; `#version` is what it was last told. */
  #wanted = { querySet: 0, identity: 0 };
  #version = { querySet: 0, identity: 0, ts: 0n };
  #incoming: Promise<void> = Promise.resolve();
  #mutations: Promise<void> = Promise.resolve();
  /** Frames that arrived while an earlier one is dealt with, as when the keys of a token are fetched. */
  #unread = 0;
  #pendingMutations = 0;
  #pendingActions = 0;
  #updateScheduled = false;
  #updating = false;
  #sending = false;
  #closed = false;
  readonly #pings: NodeJS.Timeout;
  #lastReceivedMs = Date.now();

  constructor(socket: WebSocket, parts: SyncParts, remote: { ip: string | null; userAgent: string | null }) {
    this.#socket = socket;
    this.#parts = parts;
    this.#remote = remote;
    socket.on("message", (data, isBinary) => {
      this.#lastReceivedMs = Date.now();
      const text = isBinary ? null : (data as Buffer).toString("utf8");
      this.#unread += 1;
      if (this.#unread >= MAX_UNREAD) socket.pause();
      this.#incoming = this.#incoming.then(() => this.#receive(text)).finally(() => {
        this.#unread -= 1;
        if (socket.isPaused) socket.resume();
      });
    });
    socket.on("pong", () => (this.#lastReceivedMs = Date.now()));
    socket.on("close", () => {
      this.#release();
    });
    socket.on("error", () => {
      socket.terminate();
    });
    this.#pings = setInterval(() => {
      this.#ping();
    }, PING_MS);
  }

  #ping(): void {
    if (Date.now() - this.#lastReceivedMs > SILENCE_MS) {
      this.#socket.terminate();
      return;
    }
    this.#send({ type: "Ping" });
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  // Calls, because what was read before an `await` need not hold after it.
  #isGone(): boolean {
    return this.#closed;
  }

  #isUpdateDue(): boolean {
    return this.#updateScheduled;
  }

  #release(): void {
    this.#closed = true;
    clearInterval(this.#pings);
    for (const { live } of this.#queries.values()) this.#parts.subscriptions.remove(live, this);
    this.#queries.clear();
  }

  #send(frame: ServerFrame, sent?: () => void): void {
    if (this.#closed || this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      process.stderr.write("sync session: a client does not read what it is sent, and is cut off\n");
      this.#socket.terminate();
      return;
    }
    this.#socket.send(JSON.stringify(frame), () => sent?.());
  }

  /** Tell the client what it did wrong and hang up. */
  #fail(thrown: unknown, authUpdateAttempted = false, baseVersion = this.#version.identity): void {
    if (this.#closed) return;
    const isClientFault = thrown instanceof HttpError;
    const reason = isClientFault ? `${thrown.code}: ${thrown.message}` : "InternalServerError";
    if (isClientFault && thrown.status === 401) {
      this.#send({ type: "AuthError", error: thrown.message, baseVersion, authUpdateAttempted });
    } else if (isClientFault) {
      this.#send({ type: "FatalError", error: reason });
    } else {
      process.stderr.write(`sync session: ${messageOf(thrown)}\n`);
    }
    this.#release();
    // The reason of a close frame has 123 bytes at most.
    this.#socket.close(isClientFault ? CLOSE_POLICY : CLOSE_ERROR, reason.replace(/[^ -~]/g, "?").slice(0, 100));
  }

  async #receive(text: string | null): Promise<void> {
    if (this.#closed) return;
    try {
      if (text === null) throw new HttpError(400, "WSMessageInvalidJson", "Received Invalid JSON on websocket: a binary frame");
      await this.#handle(parseFrame(text));
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  async #handle(frame: ClientFrame): Promise<void> {
    switch (frame.type) {
      case "Connect":
        this.#connect(frame.sessionId, frame.maxObservedTimestamp);
        return;
      case "Authenticate":
        await this.#authenticate(frame);
        return;
      case "ModifyQuerySet":
        this.#modifyQuerySet(frame.baseVersion, frame.newVersion, frame.modifications);
        return;
      case "Mutation":
        this.#enqueueMutation(frame);
        return;
      case "Action":
        this.#startAction(frame);
        return;
      case "Event":
    }
  }

  #connect(sessionId: string, maxObserved: string | undefined): void {
    this.#sessionId = sessionId;
    if (maxObserved !== undefined && decodeTs(maxObserved) > this.#parts.engine.ts) {
      // The client has seen a later state than this one, as when the data was deleted: it has to start afresh.
      throw new HttpError(400, "ClientAheadOfServer", "This client has seen newer data than this deployment has. Please reload it.");
    }
  }

  async #authenticate(frame: ClientFrame & { type: "Authenticate" }): Promise<void> {
    if (frame.baseVersion !== this.#wanted.identity) {
      throw new HttpError(400, "BaseVersionMismatch", `Base version ${String(frame.baseVersion)} passed up doesn't match the current version ${String(this.#wanted.identity)}`);
    }
    let identity: Identity = NOBODY;
    try {
      if (frame.tokenType === "User") identity = await this.#parts.callers.user(frame.value);
      if (frame.tokenType === "Admin") identity = this.#parts.callers.admin(frame.value, frame.impersonating);
    } catch (thrown) {
      this.#fail(thrown, true, frame.baseVersion);
      return;
    }
    if (this.#closed) return;
    this.#wanted.identity += 1;
    this.#identity = identity;
    for (const [queryId, { live, udfPath, args }] of [...this.#queries]) {
      this.#parts.subscriptions.remove(live, this);
      this.#watch(queryId, udfPath, args, live.journal, this.#queries.get(queryId)?.sentDigest ?? null);
    }
    this.#scheduleUpdate();
  }

  #checkedIdentity(): Identity {
    if (isExpired(this.#identity)) throw new HttpError(401, "TokenExpired", "Convex token identity expired");
    return this.#identity;
  }

  #watch(queryId: number, udfPath: string, args: unknown, journal: string | null, sentDigest: string | null): void {
    const watch = { path: parsePath(udfPath), args, identity: this.#identity, journal, internal: false };
    this.#queries.set(queryId, { live: this.#parts.subscriptions.add(watch, this), udfPath, args, sentDigest });
  }

  #modifyQuerySet(baseVersion: number, newVersion: number, changes: QueryChange[]): void {
    if (baseVersion !== this.#wanted.querySet) {
      throw new HttpError(400, "BaseVersionMismatch", `Base version ${String(baseVersion)} passed up doesn't match the current version ${String(this.#wanted.querySet)}`);
    }
    if (newVersion <= baseVersion) throw new HttpError(400, "BadQuerySetVersion", "The new version of the query set must be higher.");
    for (const change of changes) {
      const known = this.#queries.get(change.queryId);
      if (change.type === "Add") {
        if (known !== undefined) throw new HttpError(400, "DuplicateQueryId", `Duplicate query ID: ${String(change.queryId)}`);
        this.#watch(change.queryId, change.udfPath, change.args, change.journal ?? null, null);
        continue;
      }
      if (known === undefined) throw new HttpError(400, "NonexistentQueryId", `Nonexistent query id: ${String(change.queryId)}`);
      this.#parts.subscriptions.remove(known.live, this);
      this.#queries.delete(change.queryId);
      this.#removed.add(change.queryId);
    }
    this.#wanted.querySet = newVersion;
    this.#scheduleUpdate();
  }

  invalidated(): void {
    this.#scheduleUpdate();
  }

  #scheduleUpdate(): void {
    if (this.#updateScheduled || this.#closed) return;
    this.#updateScheduled = true;
    setImmediate(() => {
      void this.#update();
    });
  }

  /** Bring every watched query up to date and send what changed. */
  async #update(): Promise<void> {
    // A slow client gets fewer, larger transitions; a running update starts the next one when it ends.
    if (this.#updating || this.#sending || this.#closed) return;
    this.#updating = true;
    this.#updateScheduled = false;
    try {
      const identity = this.#queries.size > 0 ? this.#checkedIdentity() : this.#identity;
      await this.#refreshAll();
      if (this.#isGone()) return;
      // While it was refreshed, the client may have become somebody else: then it runs again for the new identity.
      if (identity === this.#identity) this.#transition();
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#updating = false;
      if (this.#isUpdateDue()) setImmediate(() => void this.#update());
    }
  }

  async #refreshAll(): Promise<void> {
    for (;;) {
      const stale = [...this.#queries.values()].filter(({ live }) => !live.isCurrent);
      if (stale.length === 0) return;
      const waits = stale.map(({ live }) => this.#parts.subscriptions.refresh(live)).filter((wait) => wait instanceof Promise);
      if (waits.length > 0) await Promise.all(waits);
      if (this.#isGone()) return;
    }
  }

  #modification(queryId: number, { live }: WatchedQuery): StateModification {
    const result = live.answer?.result as Result;
    const journal = live.journal;
    if (result.ok) return { type: "QueryUpdated", queryId, value: encode(result.value), logLines: [], journal };
    return { type: "QueryFailed", queryId, errorMessage: publicMessage(newRequestId(), result), logLines: [], ...errorData(result), journal };
  }

  #transition(): void {
    const modifications: StateModification[] = [...this.#removed].map((queryId) => ({ type: "QueryRemoved", queryId }));
    this.#removed.clear();
    for (const [queryId, query] of this.#queries) {
      if (query.sentDigest === query.live.digest) continue;
      query.sentDigest = query.live.digest;
      modifications.push(this.#modification(queryId, query));
    }
    const before = this.#version;
    this.#version = { ...this.#wanted, ts: this.#parts.engine.ts };
    const wire = (version: typeof before): StateVersion => ({ querySet: version.querySet, identity: version.identity, ts: encodeTs(version.ts) });
    this.#sending = true;
    this.#send(
      { type: "Transition", startVersion: wire(before), endVersion: wire(this.#version), modifications, clientClockSkew: null, serverTs: null },
      () => {
        this.#sending = false;
        if (this.#updateScheduled) void this.#update();
      },
    );
  }

  #call(frame: { udfPath: string; args: unknown }, requestId: string): Call {
    return {
      path: parsePath(frame.udfPath),
      args: frame.args,
      identity: this.#checkedIdentity(),
      request: { ...this.#remote, requestId, scheduledFunctionId: null },
      internal: false,
    };
  }

  #enqueueMutation(frame: ClientFrame & { type: "Mutation" | "Action" }): void {
    if (this.#pendingMutations >= MAX_PENDING) {
      throw new HttpError(429, "TooManyConcurrentMutations", `Too many concurrent mutations. Only up to ${String(MAX_PENDING)} pending mutations allowed on a single websocket.`);
    }
    this.#pendingMutations += 1;
    const requestId = newRequestId();
    const call = this.#call(frame, requestId);
    this.#mutations = this.#mutations.then(async () => {
      try {
        const answer = await this.#runMutationOnce(frame.requestId, call);
        this.#answerMutation(frame.requestId, requestId, answer);
      } catch (thrown) {
        this.#fail(thrown);
      } finally {
        this.#pendingMutations -= 1;
        this.#scheduleUpdate();
      }
    });
  }

  /** A mutation sent again after a reconnect is answered from the record of its first run. */
  async #runMutationOnce(requestId: number, call: Call): Promise<MutationAnswer> {
    const { engine } = this.#parts;
    const session = this.#sessionId;
    if (session === null) return engine.runMutation(call);
    const known = engine.read(({ connection }) => connection.get("SELECT ts, result FROM session_requests WHERE session = ? AND request = ?", session, requestId));
    if (known !== undefined) {
      return { result: { ok: true, value: decode(JSON.parse(known["result"] as string)) }, ts: BigInt(known["ts"] as string) };
    }
    return engine.runMutation(call, (transaction: Transaction, { value }: { value: Value }) => {
      transaction.connection.run(
        "INSERT INTO session_requests (session, request, ts, result, finished_ms) VALUES (?, ?, ?, ?, ?)",
        session,
        requestId,
        String(transaction.commitTs ?? 0n),
        JSON.stringify(encode(value)),
        Date.now(),
      );
    });
  }

  #answerMutation(requestId: number, serverRequestId: string, { result, ts }: MutationAnswer): void {
    if (result.ok) {
      this.#send({ type: "MutationResponse", requestId, success: true, result: encode(result.value), ts: encodeTs(ts ?? this.#parts.engine.ts), logLines: [] });
    } else {
      this.#send({ type: "MutationResponse", requestId, success: false, result: publicMessage(serverRequestId, result), ts: null, logLines: [], ...errorData(result) });
    }
  }

  #startAction(frame: ClientFrame & { type: "Mutation" | "Action" }): void {
    if (this.#pendingActions >= MAX_PENDING) {
      throw new HttpError(429, "TooManyConcurrentActions", `Inflight actions overloaded, max concurrency: ${String(MAX_PENDING)}`);
    }
    this.#pendingActions += 1;
    const requestId = newRequestId();
    void this.#runAction(frame.requestId, requestId, this.#call(frame, requestId));
  }

  async #runAction(requestId: number, serverRequestId: string, call: Call): Promise<void> {
    const result = await this.#parts.engine.runAction(call);
    this.#pendingActions -= 1;
    if (result.ok) this.#send({ type: "ActionResponse", requestId, success: true, result: encode(result.value), logLines: [] });
    else this.#send({ type: "ActionResponse", requestId, success: false, result: publicMessage(serverRequestId, result), logLines: [], ...errorData(result) });
    this.#scheduleUpdate();
  }
}
