import { possibleDelay } from "./clock.js";
import { realClearTimeout, realSetTimeout } from "./real-time.js";

/**
 * What the promise settles with; rejects with `late()` if that takes longer, by the real clock. `process` is what the process does that has nothing
 * else to do meanwhile.
 */
export async function inTime<R>(
  limitMs: number,
  promise: PromiseLike<R>,
  late = () => new Error(`it took longer than ${limitMs} ms`),
  process: "exits" | "waits" = "exits",
): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = realSetTimeout(() => reject(late()), possibleDelay(limitMs));
    if (process === "exits") timer.unref();
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    realClearTimeout(timer);
  }
}
