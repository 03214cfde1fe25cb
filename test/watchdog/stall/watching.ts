import { setTimeout as wait } from "node:timers/promises";
import type { Watchdog } from "../../../src/index.js";

const BLOCKED_MS = 700;

/**
 * Resolves when the watchdog's thread watches the event loop, which is seen by what it tells of a block. It needs a moment to start, and
 * a long one on a crowded machine. That block is history when this resolves: no item waited meanwhile.
 */
export async function watching(watchdog: Watchdog): Promise<void> {
  let isTold = false;
  const tell = () => {
    isTold = true;
  };
  watchdog.on("stall", tell);
  while (!isTold) {
    const end = performance.now() + BLOCKED_MS;
    while (performance.now() < end);
    await wait(BLOCKED_MS);
  }
  watchdog.off("stall", tell);
}
