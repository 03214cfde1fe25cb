import type { QueueOptions } from "./options.js";
import { Stack } from "./storage/stack.js";
import { UnrankedQueue } from "./unranked-queue.js";

/**
 * Last in, first out.
 *
 * @example
 * const pages = new LifoQueue<string>({ capacity: 2, whenFull: "evict", onDrop: (page, reason) => console.log(page, reason) });
 * for (const page of ["/old", "/newer", "/newest"]) await pages.put(page); // /old evicted
 * console.log(await pages.get()); // /newest
 */
export class LifoQueue<T> extends UnrankedQueue<T> {
  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(options?: QueueOptions<T>) {
    super(new Stack(), options);
  }
}
