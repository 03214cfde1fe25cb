import { randoms } from "../statistics.js";

/** `few`: one of 16 integers. `wide`: a double, so that hardly any two are equal. */
export type Keys = "few" | "wide";

const LEVELS = 16;
const COUNT = 2 ** 20;
/** Keys repeat after this many, which no branch predictor remembers. */
export const MASK = COUNT - 1;

/** What lies in the heaps. Peers need the priority and the sequence number on it; ours takes both from elsewhere. */
export interface Item {
  priority: number;
  sequence: number;
}

export interface Load {
  readonly depth: number;
  readonly keys: Keys;
  /** Random priorities for a burst, or random steps for a steady load. */
  readonly stream: Int32Array | Float64Array;
}

export function loadOf(depth: number, keys: Keys): Load {
  const random = randoms(7);
  const stream = keys === "few" ? new Int32Array(COUNT) : new Float64Array(COUNT);
  for (let i = 0; i < COUNT; i++) stream[i] = keys === "few" ? Math.floor(random() * LEVELS) : random();
  return { depth, keys, stream };
}

/**
 * The items of a steady load, with the priorities that it settles at. Few levels: the least urgent ones pile up. Wide: what is
 * left of a uniformly distributed step at a random moment.
 */
export function settled({ depth, keys }: Load): Item[] {
  const random = randoms(11);
  return Array.from({ length: depth }, (_, sequence) => ({
    priority: keys === "few" ? LEVELS - 1 : 1 - Math.sqrt(random()),
    sequence,
  }));
}

/** The items of a burst; their priorities come with each put. */
export function blank({ depth }: Load): Item[] {
  return Array.from({ length: depth }, (_, sequence) => ({ priority: 0, sequence }));
}
