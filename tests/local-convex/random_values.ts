/** Random Convex values from a seed, so that a failing case can be run again. */

import type { Value } from "../../local-convex/values.ts";

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}

const FLOATS = [0, -0, 1, -1, 1.5, -2.25, 1e300, -1e300, 5e-324, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
const INTEGERS = [0n, 1n, -1n, 255n, 256n, -256n, 2n ** 63n - 1n, -(2n ** 63n)];
const STRINGS = ["", "a", "b", "ab", "a\0", "a\0b", "\0", "é", "ü", "😀", "\uffff", "zz"];
const BYTES = [[], [0], [0, 0], [1], [255], [0, 255], [1, 0]];

/** A small domain on purpose: equal values must meet. */
export function randomValue(random: Random, depth = 2): Value {
  const kinds = depth > 0 ? 8 : 6;
  switch (random.below(kinds)) {
    case 0:
      return null;
    case 1:
      return random.pick(INTEGERS);
    case 2:
      return random.pick(FLOATS);
    case 3:
      return random.below(2) === 0;
    case 4:
      return random.pick(STRINGS);
    case 5:
      return new Uint8Array(random.pick(BYTES));
    case 6:
      return Array.from({ length: random.below(3) }, () => randomValue(random, depth - 1));
    default:
      return Object.fromEntries(Array.from({ length: random.below(3) }, () => [random.pick(["x", "y", "xy"]), randomValue(random, depth - 1)]));
  }
}
