import fc from "fast-check";
import { instrument, instrumentHandler, type Traces, uninstrument } from "../../../src/index.js";
import type { Operation } from "./operation.js";

/** What becomes of the user's things before they are used: on the bare side, nothing. */
export interface Side {
  worker<W extends (...args: never[]) => unknown>(worker: W): W;
  queue<Q extends object>(queue: Q): Q;
  /** What was wrapped is bare from now on, or the other way round. */
  changeSides(queue: object): void;
  /** The run is over. */
  leave(): void;
}

export const bare: Side = {
  worker: (worker) => worker,
  queue: (queue) => queue,
  changeSides() {},
  leave() {},
};

/** What all wrapped queues are called: one name, or each run would leave behind series of its own. */
export const NAME = "fuzzed";

export const wrapping = fc.record({
  traces: fc.constantFrom<Traces>("always", "with-parent", "never"),
  /** Is the worker wrapped, too? */
  wrapsWorker: fc.boolean(),
  /** Is the queue wrapped from the beginning? */
  early: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
});
export type Wrapping = Operation<typeof wrapping>;

export class Wrapped implements Side {
  /** Was the queue wrapped from its beginning to its end? */
  isWhole: boolean;
  private isWrapped = false;
  private wrappedQueue: object | undefined;

  constructor(readonly wrapping: Wrapping) {
    this.isWhole = wrapping.early;
  }

  worker<W extends (...args: never[]) => unknown>(worker: W): W {
    return this.wrapping.wrapsWorker ? instrumentHandler(worker, { name: NAME }) : worker;
  }

  queue<Q extends object>(queue: Q): Q {
    this.wrappedQueue = queue;
    return this.wrapping.early ? this.wrap(queue) : queue;
  }

  changeSides(queue: object): void {
    this.isWhole = false;
    if (this.isWrapped) this.leave();
    else this.wrap(queue);
  }

  leave(): void {
    this.isWrapped = false;
    if (this.wrappedQueue !== undefined) uninstrument(this.wrappedQueue);
  }

  private wrap<Q extends object>(queue: Q): Q {
    this.isWrapped = true;
    return instrument(queue, { name: NAME, traces: this.wrapping.traces });
  }
}
