import type { Probe } from "./probe.js";
import type { Report } from "./report.js";
import type { SlaTarget } from "./watch.js";

/** A watchdog that runs, as the live view asks it. */
export interface RunningWatchdog {
  /** Whether it watches the queue. */
  watches(probe: Probe): boolean;
  /** The SLA that it goes by; undefined where there is none. */
  slaOf(probe: Probe, tier: number): SlaTarget | undefined;
  /** The queue as it is now, breach or not; undefined where it isn't watched. `write`: into the folder for reports, too. */
  reportOn(probe: Probe, write?: boolean): Report | undefined;
}

/** What a watchdog tells, by event: a report, what has ended, or a stall. */
export type WatchdogNews = "breach" | "cleared" | "stall";

/** What looks into the process from outside, and what it asks. */
export interface Inspection {
  /** The one that looks; undefined while there is none. */
  hub: object | undefined;
  /** The socket that the process has, for all that want one: it is one. */
  socket: { close(): Promise<void> } | undefined;
  /** What the process is called, where `startTelemetry` says so. */
  name: string | undefined;
  /** Whether the environment was asked for it. */
  isAsked: boolean;
  readonly watchdogs: Set<RunningWatchdog>;
  /** Hears what watchdogs tell; must not throw. Absent while nothing looks. */
  told: ((news: WatchdogNews, subject: unknown) => void) | undefined;
}
