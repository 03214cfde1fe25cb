import { setImmediate } from "node:timers/promises";

/** Something that is filled with new items, and perhaps emptied again. */
export interface Vessel {
  fill(count: number): void;
  drain?(count: number): void;
}

/** Bytes on the heap and in typed arrays. */
export async function held(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error("run me with node --expose-gc");
  for (let i = 0; i < 2; i++) {
    globalThis.gc();
    // Typed arrays give their memory back a little later.
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes per item that vessels filled with `count` items each hold, and that they still hold when they are empty again. */
export async function weigh(
  vessels: readonly Vessel[],
  count: number,
): Promise<{ full: number; empty: number }> {
  const items = vessels.length * count;
  const before = await held();
  for (const vessel of vessels) vessel.fill(count);
  const full = await held();
  for (const vessel of vessels) vessel.drain?.(count);
  const empty = await held();
  return { full: (full - before) / items, empty: (empty - before) / items };
}
