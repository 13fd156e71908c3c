/** Functions that misbehave in every way a function can. */

import { v } from "convex/values";

import { action, mutation, query } from "./typed";

/* eslint-disable @typescript-eslint/only-throw-error -- odd things are thrown to see what becomes of them */
const TRAPS: ProxyHandler<object> = {
  get: () => {
    throw trap();
  },
  has: () => {
    throw trap();
  },
  getPrototypeOf: () => {
    throw trap();
  },
};
/* eslint-enable @typescript-eslint/only-throw-error */
function trap(): object {
  return new Proxy({}, TRAPS);
}
function selfReferring(): object {
  const made: { self?: object } = {};
  made.self = made;
  return made;
}

const ODD_THINGS: Record<string, () => unknown> = {
  null: () => null,
  undefined: () => undefined,
  symbol: () => Symbol("odd"),
  bare: () => Object.create(null) as object,
  bigint: () => 7n,
  function: () => () => 1,
  proxy: trap,
  circle: selfReferring,
  "an unreadable message": () => Object.defineProperty(new Error("x"), "message", { get: () => trap() }),
  "a message that is none": () => ({ name: 7, message: Object.create(null) as object }),
  "false ConvexError": () => Object.assign(new Error("x"), { [Symbol.for("ConvexError")]: true, data: "{no JSON" }),
};
const odd = (kind: string): unknown => (ODD_THINGS[kind] ?? (() => kind))();
export const throwFromQuery = query({
  args: { kind: v.string() },
  handler: (_, { kind }) => {
    throw odd(kind);
  },
});
export const throwFromMutation = mutation({
  args: { kind: v.string() },
  handler: async (ctx, { kind }) => {
    await ctx.db.insert("notes", { from: "hostile", text: kind });
    throw odd(kind);
  },
});
export const throwFromAction = action({
  args: { kind: v.string() },
  handler: (_, { kind }) => {
    throw odd(kind);
  },
});
export const giveFromQuery = query({ args: { kind: v.string() }, handler: (_, { kind }) => odd(kind) });
export const giveFromAction = action({ args: { kind: v.string() }, handler: (_, { kind }) => odd(kind) });

export const spinInMutation = mutation({
  args: {},
  handler: async (ctx) => {
    await ctx.db.insert("notes", { from: "hostile", text: "spin" });
    for (;;);
  },
});
/** Answers, and leaves microtasks behind that never end. */
export const spinAfterwards = query({
  args: {},
  handler: () => {
    const again = (): Promise<void> => Promise.resolve().then(again);
    void again();
    return 1;
  },
});
export const nestedSpin = mutation({ args: {}, handler: async (ctx) => ctx.runMutation("hostile:spinInMutation" as never, {}) });
export const recursion = query({
  args: {},
  handler: () => {
    const deeper = (): number => deeper() + 1;
    return deeper();
  },
});
export const neverInAction = action({ args: {}, handler: () => new Promise(() => undefined) });
export const spinInAction = action({
  args: {},
  handler: () => {
    for (;;);
  },
});
export const throwInTimer = action({
  args: {},
  handler: () =>
    new Promise((resolve) => {
      setTimeout(() => {
        setTimeout(resolve, 0, "survived");
        throw new Error("thrown where nobody listens");
      }, 0);
    }),
});
export const rejectUnheard = action({
  args: { kind: v.string() },
  handler: async (_, { kind }) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- odd things are thrown to see what becomes of them
    void Promise.reject(odd(kind));
    await new Promise((resolve) => {
      setTimeout(resolve, 0);
    });
    return "survived";
  },
});
export const exit = action({ args: {}, handler: () => Promise.resolve((process as unknown as { exit: (status: number) => null }).exit(3)) });
export const sequences = action({ args: {}, handler: async (ctx) => ctx.runQuery("hostile:throwFromQuery" as never, { kind: "proxy" } as never) });
/** What a function sees of an argument named as the prototype's own property. */
export const fieldsOf = query({ args: { value: v.any() }, handler: (_, { value }) => ({ polluted: ({} as { polluted?: unknown }).polluted ?? null, names: Object.keys(value as object) }) });
export const keepAnything = mutation({ args: { value: v.any() }, handler: async (ctx, { value }) => ctx.db.insert("samples", { a: value as unknown }) });
export const large = action({ args: { bytes: v.number() }, handler: (_, { bytes }) => "x".repeat(bytes) });
export const number = query({ args: { value: v.number() }, handler: (_, { value }) => value });
