import { realNow, turn } from "../../base/real-time.js";

/** How long a slice is, in milliseconds. */
const SLICE_MS = 5;

let since = realNow();
let turning: Promise<void> | undefined;

/**
 * Work in slices of time, with a turn of the event loop after each: with hundreds of queues a scrape takes longer than the loop may stand still.
 * All that export share a slice, as a registry of prom-client asks for dozens of metrics at once.
 */
export const slices = {
  /** Whether everything else is to get its turn. */
  get isOver(): boolean {
    return realNow() - since >= SLICE_MS;
  },

  next(): Promise<void> {
    turning ??= turn().then(() => {
      turning = undefined;
      since = realNow();
    });
    return turning;
  },
};
