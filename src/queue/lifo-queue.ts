import type { QueueOptions } from "./options.js";
import { Stack } from "./storage/stack.js";
import { UnrankedQueue } from "./unranked-queue.js";

/** Last in, first out. */
export class LifoQueue<T> extends UnrankedQueue<T> {
  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(options?: QueueOptions<T>) {
    super(new Stack(), options);
  }
}
