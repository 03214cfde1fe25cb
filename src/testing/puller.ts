import type { Handle } from "./kind.js";
import { context } from "./strict-telemetry.js";

/** The consumers of a queue that calls no handler by itself: as many at a time as it has concurrency, one call for each item. */
export class Puller {
  private inside = 0;
  private busy = 0;
  private isPaused = false;

  constructor(
    private readonly consume: (handle: Handle) => Promise<unknown>,
    private readonly handle: Handle,
    private readonly concurrency: number,
  ) {}

  /** So many more items are in the queue, or fewer. */
  add(count: number): void {
    this.inside += count;
    this.pull();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.pull();
  }

  private pull(): void {
    while (!this.isPaused && this.inside > 0 && this.busy < this.concurrency) {
      this.inside--;
      this.busy++;
      const over = () => {
        this.busy--;
        this.pull();
      };
      // Of no item's context: if handlers are in theirs, it is the adapter's doing.
      context.run(undefined, () => this.consume(this.handle)).then(over, over);
    }
  }
}
