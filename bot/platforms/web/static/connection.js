// The line to the bot: it comes back by itself, says what it has seen, and asks nothing twice.

/** @import { Answered, Incoming, Outgoing, Press, Refused, Say } from "./frames.js" */

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 15_000;
const PING_GAP_MS = 25_000;
const PONG_DEADLINE_MS = 8_000;

/** @typedef {"connecting" | "open" | "waiting"} ConnectionState */

/** @typedef {(outcome: Answered | Refused) => void} Settled */

/**
 * @typedef {object} Listener
 * @property {(frame: Incoming) => void} frame
 * @property {(state: ConnectionState) => void} state
 * @property {() => {epoch: string, since: number}} seen the newest change that the page has
 */

export class Connection {
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {Map<string, {frame: Say | Press, settled: Settled}>} */ #asked = new Map();
  #failures = 0;
  #retry = 0;
  #ping = 0;
  #pong = 0;
  #open = false;

  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    addEventListener("online", () => this.#hurry());
    addEventListener("pageshow", () => this.#hurry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#hurry();
    });
  }

  /** Open the line, and keep it open from now on. */
  async connect() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    this.listener.state("connecting");
    try {
      // The cookie is set by a request of this page, never by the visit itself: see routes.py.
      const answer = await fetch("/api/session", { method: "POST", signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) throw new Error(`session: ${answer.status}`);
    } catch {
      this.#lost();
      return;
    }
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/live`);
    this.#socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "hello", ...this.listener.seen() })));
    socket.addEventListener("message", (event) => this.#take(socket, JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      if (this.#socket === socket) this.#lost();
    });
  }

  get open() {
    return this.#open;
  }

  /**
   * Send what needs no answer, if the line is open.
   * @param {Outgoing} frame
   */
  send(frame) {
    if (this.#open && this.#socket) this.#socket.send(JSON.stringify(frame));
  }

  /**
   * Ask; what is not answered when the line breaks is asked again, by the same name, when it is back.
   * @param {Say | Press} frame
   * @param {Settled} settled
   */
  ask(frame, settled) {
    this.#asked.set(frame.id, { frame, settled });
    this.send(frame);
  }

  /** Start over, with what the page says it has seen now. */
  again() {
    this.send({ type: "hello", ...this.listener.seen() });
  }

  /**
   * @param {WebSocket} socket
   * @param {Incoming} frame
   */
  #take(socket, frame) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#pong);
    if (frame.type === "welcome" && !this.#open) this.#opened();
    else if (frame.type === "answered" || (frame.type === "error" && frame.id)) this.#settle(frame);
    this.listener.frame(frame);
  }

  /** @param {Answered | Refused} outcome */
  #settle(outcome) {
    const id = outcome.id ?? "";
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.settled(outcome);
  }

  #opened() {
    this.#open = true;
    this.#failures = 0;
    this.listener.state("open");
    for (const { frame } of this.#asked.values()) this.send(frame);
    clearInterval(this.#ping);
    this.#ping = setInterval(() => this.#check(), PING_GAP_MS);
  }

  #check() {
    clearTimeout(this.#pong);
    this.send({ type: "ping" });
    this.#pong = setTimeout(() => this.#lost(), PONG_DEADLINE_MS);
  }

  #lost() {
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    socket?.close();
    clearInterval(this.#ping);
    clearTimeout(this.#pong);
    if (this.#retry) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#retry = setTimeout(() => void this.connect(), pause);
    this.listener.state("waiting");
  }

  /** The machine woke up or the network is back: do not sit a long pause out. */
  #hurry() {
    if (this.#retry) void this.connect();
    else if (this.#open) this.#check();
  }
}
