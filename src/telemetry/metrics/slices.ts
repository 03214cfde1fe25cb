import { realNow, turn } from "../../base/real-time.js";

/** How long a slice is, in milliseconds. */
const SLICE_MS = 5;

/** Work in slices of time, with a turn of the event loop after each: with hundreds of queues a scrape takes longer than it may stand still. */
export class Slices {
  private since = realNow();

  /** Whether everything else is to get its turn. */
  get isOver(): boolean {
    return realNow() - this.since >= SLICE_MS;
  }

  async next(): Promise<void> {
    await turn();
    this.since = realNow();
  }
}
