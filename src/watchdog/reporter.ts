import { performance } from "node:perf_hooks";
import type { SlaTarget } from "../contracts.js";
import { diagnose } from "./diagnose.js";
import type { Settings } from "./options.js";
import { redacted } from "./redact.js";
import { BreachReport } from "./report.js";
import { ReportFiles } from "./report-files.js";
import type { Surroundings, WatchedQueue } from "./watched-queue.js";

/** In place of a text that could not be redacted. */
const UNTOLD = "…";

/** Where a queue that nobody declared an SLA for has its limit. */
const NO_SLA: SlaTarget = { targetMs: Number.POSITIVE_INFINITY, objective: 0.99 };

/** What becomes of errors that are nobody's business but the watchdog's. */
export interface Guard {
  /** What `act` returns, or nothing if it throws. */
  attempt<R>(act: () => R): R | undefined;
  fault(error: unknown): void;
}

/** Makes the reports, and keeps them in `reportDir`. */
export class Reporter {
  private readonly checks: Settings["checks"];
  private readonly payload: Settings["payload"];
  private readonly redact: Settings["redact"];
  private readonly files: ReportFiles | undefined;

  constructor(
    { checks, payload, redact, reportDir, maxReports }: Settings,
    private readonly surroundings: Surroundings,
    private readonly guard: Guard,
  ) {
    this.checks = checks;
    this.payload = payload && ((item) => guard.attempt(() => payload(item)));
    this.redact = redact && ((text) => guard.attempt(() => redact(text)) ?? UNTOLD);
    this.files = reportDir === undefined ? undefined : new ReportFiles(reportDir, maxReports);
  }

  /** A queue as it is now, for the sake of its most urgent tier. */
  report(watched: WatchedQueue): BreachReport {
    return this.look(watched, watched.worstTier())();
  }

  /**
   * What is seen is seen now; what it means is said when the result is called, with the stalls that are known by then. `waitMs`:
   * how long the head has waited, where that was seen from elsewhere.
   */
  look(watched: WatchedQueue, tier: number, waitMs?: number): () => BreachReport {
    const seenAt = performance.now();
    const seen = watched.situation(tier, watched.slaOf(tier) ?? NO_SLA, this.surroundings, waitMs);
    const heads = watched.heads(this.payload);
    const workers = watched.workers();
    const memory = watched.memory();
    return () => {
      const situation = { ...seen, stalls: this.surroundings.stalls(seenAt) };
      const { verdicts, notYet } = diagnose(this.checks, situation, (error) => this.guard.fault(error));
      const report = new BreachReport(situation, verdicts, notYet, heads, workers, memory);
      return this.redact === undefined ? report : redacted(report, this.redact);
    };
  }

  /** It is in its file when this returns. */
  write(report: BreachReport): void {
    this.guard.attempt(() => this.files?.write(report));
  }
}
