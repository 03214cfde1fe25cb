import type { Vitals } from "../contracts.js";
import { shared } from "../shared.js";
import { Histogram } from "./histogram.js";

/** What is exported of the process as a whole, once somebody has told it. */
class ExportedVitals implements Vitals {
  /** Unix time, in seconds. */
  lastRun: number | undefined = undefined;
  readonly stalls = new Histogram("queue.eventloop.stall.seconds", {});

  ran(): void {
    this.lastRun = Date.now() / 1000;
  }

  stalled(ms: number): void {
    this.stalls.record(ms);
  }
}

export const vitals = shared("vitals", () => new ExportedVitals());
