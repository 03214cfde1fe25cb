import { isLeftBehind } from "../../base/callback.js";
import { wallNow } from "../../base/clock.js";
import { cut } from "../../base/limits.js";
import { realNow } from "../../base/real-time.js";
import type { SlaTarget } from "../../contracts/index.js";
import { diagnose } from "../checks/index.js";
import type { Guard } from "../events.js";
import type { WatchdogSettings } from "../options.js";
import type { HeadNow, ProcessFacts, WatchedQueue } from "../sampling/watched-queue.js";
import type { Situation, Verdict } from "../situation.js";
import { plainCopy } from "../values.js";
import { bound, redacted } from "./bounds.js";
import type { DeepLook } from "./deep.js";
import { ReportFiles } from "./files.js";
import { BreachReport } from "./report.js";
import { MAX_SAMPLED, sendersOf } from "./senders.js";

/** In place of a text that could not be redacted. */
const HIDDEN = "…";
/** How long a text may be that was redacted, in characters, if it wasn't longer before. */
const MAX_REDACTED = 256;

/** For a queue without a declared SLA. */
const NO_SLA: SlaTarget = { targetMs: Number.POSITIVE_INFINITY, objective: 0.99 };

/** The causes that the checks found in a snapshot. */
export interface Diagnosis {
  readonly situation: Situation;
  /** The surest first. */
  readonly verdicts: readonly Verdict[];
  readonly notYet: readonly string[];
}

/** A queue at one moment. It is diagnosed later, with the stalls that are known by then; most snapshots lead to no report. */
export interface QueueSnapshot {
  /** Keeps the heads and workers for the report, which may soon be gone. Otherwise they are read when the report is made. */
  keep(): void;
  diagnose(): Diagnosis;
  /** `corrects`: the verdict that the report before named. */
  report(diagnosis: Diagnosis, corrects?: string): BreachReport;
}

/** Makes the reports, and keeps them in `reportDir`. */
export class Reporter {
  private readonly payload: ((item: unknown) => Pick<HeadNow, "payload" | "payloadLeftOut">) | undefined;
  private readonly redact: WatchdogSettings["redact"];
  private readonly files: ReportFiles | undefined;
  /** What the last file could not be written for. */
  private broken: string | undefined = undefined;

  constructor(
    private readonly settings: WatchdogSettings,
    private readonly processFacts: ProcessFacts,
    private readonly guard: Guard,
  ) {
    const { payload, redact, reportDir, maxReports } = settings;
    this.payload = payload && ((item) => this.payloadOf(() => payload(item)));
    this.redact = redact && ((text) => this.redactedBy(() => redact(text), text));
    this.files = reportDir === undefined ? undefined : new ReportFiles(reportDir, maxReports);
  }

  /** A queue as it is now, for the sake of its most urgent tier. `deep`: where its tasks stand, from another look. */
  report(watched: WatchedQueue, deep?: DeepLook): BreachReport {
    const snapshot = this.snapshot(watched, watched.worstTier(), undefined, deep);
    return snapshot.report(snapshot.diagnose());
  }

  /** `waitMs`: how long the head has waited, where that was seen from elsewhere. */
  snapshot(watched: WatchedQueue, tier: number, waitMs?: number, deep?: DeepLook): QueueSnapshot {
    const { settings, guard } = this;
    const processFacts = deep === undefined ? this.processFacts : { ...this.processFacts, branchesOf: deep };
    const seenAt = realNow();
    const seen = watched.situation(tier, watched.slaOf(tier) ?? NO_SLA, processFacts, waitMs);
    const show = () => ({
      heads: watched.heads(this.payload),
      workers: watched.workers(),
      memory: watched.memory(),
      senders: sendersOf(watched.next(MAX_SAMPLED), settings.tenant, (error) => guard.fault(error)),
    });
    let kept: ReturnType<typeof show> | undefined;
    return {
      keep() {
        kept = show();
      },
      diagnose() {
        // Node tells of a collection of garbage only when the event loop turns.
        const gcMs = processFacts.processor(seen.processor.windowMs).gcMs;
        const processor = { ...seen.processor, gcMs: Math.max(seen.processor.gcMs, gcMs) };
        const situation = { ...seen, processor, stalls: processFacts.stalls(seenAt) };
        return { situation, ...diagnose(settings.checks, situation, (error) => guard.fault(error)) };
      },
      report: ({ situation, verdicts, notYet }, corrects) => {
        const seenNext = kept ?? show();
        const wall = guard.attempt(() => settings.clock.wallNow());
        const at = isInstant(wall) ? wall : wallNow();
        const report = new BreachReport(situation, verdicts, notYet, seenNext, at, corrects);
        bound(report);
        if (this.redact === undefined) return report;
        const told = redacted(report, this.redact);
        bound(told);
        return told;
      },
    };
  }

  /** It is in its file when this returns. That this fails is counted each time, and told when it begins to, and for another reason. */
  write(report: BreachReport, { queue }: WatchedQueue): void {
    try {
      this.files?.write(report);
      this.broken = undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (this.broken !== (code ?? "")) this.guard.fault(error);
      this.broken = code ?? "";
      queue.faulted?.();
    }
  }

  private payloadOf(make: () => unknown): Pick<HeadNow, "payload" | "payloadLeftOut"> {
    const { guard } = this;
    try {
      const made = make();
      const fault = (error: unknown) => guard.fault(error);
      if (!isLeftBehind(made, fault)) return { payload: plainCopy(made) };
      return { payload: undefined, payloadLeftOut: "payload() must give it at once, not a promise of it" };
    } catch (error) {
      guard.fault(error);
      return { payload: undefined, payloadLeftOut: "payload() failed, or what it gave could not be read" };
    }
  }

  private redactedBy(redact: () => unknown, text: string): string {
    const { guard } = this;
    const told = guard.attempt(redact);
    if (typeof told === "string") return cut(told, Math.max(text.length, MAX_REDACTED));
    isLeftBehind(told, (error) => guard.fault(error));
    return HIDDEN;
  }
}

/** Whether a date can be made of it. */
function isInstant(ms: number | undefined): ms is number {
  return ms !== undefined && Math.abs(ms) <= 8.64e15;
}
