import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { realNow } from "../base/real-time.js";

/** A reading serves for this long; one costs about as much as fifty puts. */
const KEEP_MS = 50;

/**
 * A condition for `evictWhen`: true while more than `ratio` (0 to 1, exclusive) of the JavaScript heap that V8 may grow to is
 * in use. Source: `v8.getHeapStatistics()`, read at most every 50 ms.
 *
 * @example
 * const events = new FifoQueue<string>({ capacity: 1_000, whenFull: "evict", evictWhen: heapUsedAbove(0.8) });
 * await events.put("click");
 */
export function heapUsedAbove(ratio: number): () => boolean {
  const allowed = "a number between 0 and 1";
  if (typeof ratio !== "number") throw new InvalidOptionTypeError("ratio", ratio, allowed);
  if (!(ratio > 0 && ratio < 1)) throw new InvalidOptionRangeError("ratio", ratio, allowed);
  const { getHeapStatistics } = process.getBuiltinModule("node:v8");
  let readAt = Number.NEGATIVE_INFINITY;
  let isAbove = false;
  return () => {
    const now = realNow();
    if (now - readAt >= KEEP_MS) {
      const { used_heap_size, heap_size_limit } = getHeapStatistics();
      isAbove = used_heap_size > ratio * heap_size_limit;
      readAt = now;
    }
    return isAbove;
  };
}
