import type { QueueOptions } from "./options.js";
import { Deque } from "./storage/deque.js";
import { UnrankedQueue } from "./unranked-queue.js";

/**
 * First in, first out.
 *
 * @example
 * const jobs = new FifoQueue<string>({ capacity: 100 });
 * await jobs.put("resize cat.png");
 * console.log(await jobs.get());
 */
export class FifoQueue<T> extends UnrankedQueue<T> {
  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(options?: QueueOptions<T>) {
    super(new Deque(), options);
  }
}
