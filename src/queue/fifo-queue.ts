import type { QueueOptions } from "./options.js";
import { Deque } from "./storage/deque.js";
import { UnrankedQueue } from "./unranked-queue.js";

/** First in, first out. */
export class FifoQueue<T> extends UnrankedQueue<T> {
  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(options?: QueueOptions<T>) {
    super(new Deque(), options);
  }
}
