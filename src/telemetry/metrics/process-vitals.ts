import { wallNow } from "../../base/clock.js";
import type { Vitals } from "../../contracts/index.js";
import { Histogram, type HistogramSinks } from "./histogram.js";
import { NO_LABELS } from "./labels.js";

/** What is exported of the process as a whole, once a watchdog has told it. */
export class ProcessVitals implements Vitals {
  /** Unix time, in seconds. */
  lastRun: number | undefined = undefined;
  readonly stalls: Histogram;
  /** Epoch milliseconds: the end of the last stall that was counted. */
  private countedUntil = Number.NEGATIVE_INFINITY;

  constructor(sinks: HistogramSinks) {
    this.stalls = new Histogram("queue.eventloop.stall.seconds", NO_LABELS, sinks);
  }

  ran(): void {
    this.lastRun = wallNow() / 1000;
  }

  stalled(ms: number, startedAt = wallNow() - ms): void {
    // There is one event loop: another watchdog tells of the same stall.
    if (startedAt < this.countedUntil) return;
    this.countedUntil = startedAt + ms;
    this.stalls.record(ms);
  }
}
