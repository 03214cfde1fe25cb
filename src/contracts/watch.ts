import type { Carrier } from "./observer.js";
import type { Probe } from "./probe.js";

/** What the user promised for a tier. */
export interface SlaTarget {
  /** Longest wait that meets the SLA, in milliseconds. */
  readonly targetMs: number;
  /** Share of items that should meet it, between 0 and 1. */
  readonly objective: number;
  /** Longest time from when an item first comes in until it is settled, in milliseconds. Absent: nothing was promised about that. */
  readonly completeMs?: number | undefined;
}

/** What was counted for the queues of a name; it only rises. `tier` is an index into {@link Probe.tiers}. */
export interface Tally {
  enqueued(tier: number): number;
  dequeued(tier: number): number;
  /** Items served after a younger one. */
  overtaken(tier: number): number;
  dropped(tier: number): number;
  /** Items that missed their SLA. Absent where that is not counted. */
  missed?(tier: number): number;
  readonly succeeded: number;
  readonly failed: number;
  readonly retried: number;
  /** Items among them that went back for the first time. */
  readonly firstRetried: number;
  readonly deadLettered: number;
  /** Sum of the times that tasks took, in milliseconds. */
  readonly processedMs: number;
  /** What the last task that failed, for good or for now, failed with, in words. */
  readonly lastFailure: string | undefined;
}

/** An instrumented queue, as a watchdog sees it. */
export interface Watchable {
  readonly name: string;
  readonly probe: Probe;
  readonly tally: Tally;
  slaOf(tier: number): SlaTarget | undefined;
  /** May a tier be called so that is not in {@link Probe.tiers} yet? Absent where there are no others. */
  mayHaveTier?(name: string): boolean;
  /** The trace of the put that the carrier comes from. */
  traceOf(carrier: Carrier): string | undefined;
  /** Breaches were found, so many, and this is why; 0 makes the series known. */
  breached(tier: number, verdict: string, count: number): void;
  /** A report of it could not be written. */
  faulted?(): void;
}

/** A queue that is instrumented: what every copy of this library knows of it. */
export interface Instrumented {
  readonly name: string;
  /** What a watchdog sees of it: one queue, or all those that the client of a broker was declared to serve. */
  readonly watchables: readonly Watchable[];
  readonly undo: () => void;
}

/** What concerns the process as a whole. */
export interface Vitals {
  /** A watchdog has looked. */
  ran(): void;
  /** The event loop stood still for so many milliseconds, from that instant on (epoch milliseconds; by default it has just ended). */
  stalled(ms: number, startedAt?: number): void;
}
