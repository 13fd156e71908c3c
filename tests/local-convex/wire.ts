/** A client that speaks the sync protocol by hand. */

import { randomUUID } from "node:crypto";

import { WebSocket } from "ws";

/** Collects what arrives, and lets a test wait for the next one. */
export class Arrivals<Item> {
  readonly all: Item[] = [];
  #waiting: (() => void)[] = [];

  readonly add = (item: Item): void => {
    this.all.push(item);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  async until(hoped: (items: Item[]) => boolean): Promise<Item[]> {
    while (!hoped(this.all)) {
      await new Promise<void>((resolve, reject) => {
        const deadline = setTimeout(() => {
          reject(new Error(`still ${JSON.stringify(this.all).slice(0, 500)}`));
        }, 8_000);
        this.#waiting.push(() => {
          clearTimeout(deadline);
          resolve();
        });
      });
    }
    return this.all;
  }
}

export type Frame = Record<string, unknown> & { type: string };

/** One connection. */
export class Wire {
  readonly frames = new Arrivals<Frame>();
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;

  constructor(url: string) {
    this.#socket = new WebSocket(`${url.replace("http", "ws")}/api/sync`);
    this.#socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      if (frame.type !== "Ping") this.frames.add(frame);
    });
    this.#socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => this.#socket.on("close", resolve));
  }

  async connect(session = randomUUID() as string, more: object = {}): Promise<this> {
    await new Promise((resolve, reject) => {
      this.#socket.on("open", resolve);
      this.#socket.on("error", reject);
    });
    this.send({ type: "Connect", sessionId: session, connectionCount: 0, lastCloseReason: "InitialConnect", ...more });
    return this;
  }

  send(frame: object | string): void {
    this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** Stop reading what the deployment sends. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  add(baseVersion: number, queryId: number, udfPath: string, args: object, journal?: string): void {
    this.send({ type: "ModifyQuerySet", baseVersion, newVersion: baseVersion + 1, modifications: [{ type: "Add", queryId, udfPath, args: [args], journal }] });
  }

  mutate(requestId: number, udfPath: string, args: object): void {
    this.send({ type: "Mutation", requestId, udfPath, args: [args] });
  }

  of(type: string): Frame[] {
    return this.frames.all.filter((frame) => frame.type === type);
  }

  async untilCount(type: string, count: number): Promise<Frame[]> {
    await this.frames.until((frames) => frames.filter((frame) => frame.type === type).length >= count);
    return this.of(type);
  }

  close(): void {
    this.#socket.terminate();
  }
}
