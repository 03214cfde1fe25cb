import { performance } from "node:perf_hooks";
import { atOnce } from "../../callback.js";
import type { SlaTarget } from "../../contracts.js";
import { diagnose } from "../diagnose.js";
import type { Guard } from "../guard.js";
import type { Settings } from "../options.js";
import type { Situation, Verdict } from "../situation.js";
import type { Surroundings, WatchedQueue } from "../watched-queue.js";
import { ReportFiles } from "./files.js";
import { plainCopy } from "./plain.js";
import { redacted } from "./redact.js";
import { BreachReport } from "./report.js";

/** In place of a text that could not be redacted. */
const UNTOLD = "…";

/** Where a queue that nobody declared an SLA for has its limit. */
const NO_SLA: SlaTarget = { targetMs: Number.POSITIVE_INFINITY, objective: 0.99 };

/** What a sight means. */
export interface Diagnosis {
  readonly situation: Situation;
  /** The surest first. */
  readonly verdicts: readonly Verdict[];
  readonly notYet: readonly string[];
}

/** A queue as it was seen. What that means is said later, with the stalls that are known by then; most sights lead to no report. */
export interface Sight {
  /** Notes what a report shows besides, which may soon be gone. Without that it is what is there when the report is made. */
  keep(): void;
  diagnose(): Diagnosis;
  report(diagnosis: Diagnosis): BreachReport;
}

/** Makes the reports, and keeps them in `reportDir`. */
export class Reporter {
  private readonly payload: Settings["payload"];
  private readonly redact: Settings["redact"];
  private readonly files: ReportFiles | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly surroundings: Surroundings,
    private readonly guard: Guard,
  ) {
    const { payload, redact, reportDir, maxReports } = settings;
    const fault = (error: unknown) => guard.fault(error);
    this.payload =
      payload && ((item) => guard.attempt(() => plainCopy(atOnce("payload", payload(item), fault))));
    this.redact = redact && ((text) => guard.attempt(() => atOnce("redact", redact(text), fault)) ?? UNTOLD);
    this.files = reportDir === undefined ? undefined : new ReportFiles(reportDir, maxReports);
  }

  /** A queue as it is now, for the sake of its most urgent tier. */
  report(watched: WatchedQueue): BreachReport {
    const sight = this.look(watched, watched.worstTier());
    return sight.report(sight.diagnose());
  }

  /** `waitMs`: how long the head has waited, where that was seen from elsewhere. */
  look(watched: WatchedQueue, tier: number, waitMs?: number): Sight {
    const { settings, surroundings, guard } = this;
    const seenAt = performance.now();
    const seen = watched.situation(tier, watched.slaOf(tier) ?? NO_SLA, surroundings, waitMs);
    const show = () => ({
      heads: watched.heads(this.payload),
      workers: watched.workers(),
      memory: watched.memory(),
    });
    let kept: ReturnType<typeof show> | undefined;
    return {
      keep() {
        kept = show();
      },
      diagnose() {
        const situation = { ...seen, stalls: surroundings.stalls(seenAt) };
        return { situation, ...diagnose(settings.checks, situation, (error) => guard.fault(error)) };
      },
      report: ({ situation, verdicts, notYet }) => {
        const { heads, workers, memory } = kept ?? show();
        const at = guard.attempt(() => settings.clock.wallNow()) ?? Date.now();
        const report = new BreachReport(situation, verdicts, notYet, heads, workers, memory, at);
        return this.redact === undefined ? report : redacted(report, this.redact);
      },
    };
  }

  /** It is in its file when this returns. */
  write(report: BreachReport): void {
    this.guard.attempt(() => this.files?.write(report));
  }
}
