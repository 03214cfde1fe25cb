import * as api from "@opentelemetry/api";
import type { Clock } from "../base/clock.js";
import { recorder } from "../base/recorder.js";
import { verdictOf } from "./checks/diagnose.js";
import type { Events } from "./events.js";
import type { BreachReport } from "./report/report.js";
import type { Reporter } from "./report/reporter.js";
import type { Cleared, WatchedQueue } from "./sampling/watched-queue.js";
import type { StallGracePeriod } from "./stall-grace-period.js";

/** Counts breaches and announces when they begin and end, in the order in which they were seen: as events, files, log records and transitions. */
export class BreachAnnouncer {
  constructor(
    private readonly clock: Clock,
    private readonly reporter: Reporter,
    private readonly gracePeriod: StallGracePeriod,
    private readonly events: Events,
  ) {}

  /** A tier is beyond its SLA. `waitMs`: how long the head has waited, where the stall monitor saw it. */
  breach(watched: WatchedQueue, tier: number, waitMs?: number): void {
    const now = this.clock.now();
    const breach = watched.breachOf(tier);
    const isHeldBack = this.gracePeriod.isOn;
    // While something is held back, what will have been announced last is not known yet.
    if (!isHeldBack && !breach.isDue(now)) return;
    const snapshot = this.reporter.snapshot(watched, tier, waitMs);
    if (isHeldBack) snapshot.keep();
    this.gracePeriod.announce(() => {
      if (!breach.isDue(now)) return;
      const diagnosis = snapshot.diagnose();
      const verdict = verdictOf(diagnosis);
      const { count, report } = breach.decide(verdict, now);
      if (count) watched.queue.breached(tier, verdict, 1);
      if (report) this.announce(watched, verdict, snapshot.report(diagnosis));
    });
  }

  /** Breaches have ended. No `cleared` for a breach that was not reported. */
  cleared(watched: WatchedQueue, cleared: readonly Cleared[]): void {
    for (const { tier, lastedMs } of cleared) {
      this.gracePeriod.announce(() => {
        if (!watched.breachOf(tier).close()) return;
        const name = watched.queue.probe.tiers[tier]!;
        recorder.tell(watched.name, `tier ${name}: the SLA is met again`);
        this.events.emit("cleared", { queue: watched.name, tier: name, lastedMs });
      });
    }
  }

  private announce(watched: WatchedQueue, verdict: string, report: BreachReport): void {
    recorder.tell(watched.name, `tier ${report.tier}: the SLA is breached (${verdict})`);
    this.reporter.write(report, watched);
    this.events.attempt(() => emitLogRecord(report));
    this.events.emit("breach", report);
  }
}

const NAME = "queue.sla.breach";
/** WARN, in OpenTelemetry's numbers. */
const WARN = 13;

/** The part of the logs API in use; `@opentelemetry/api` has it from 1.10 on. */
interface Logs {
  getLogger(name: string): {
    enabled?(options: object): boolean;
    emit(record: object): void;
  };
}

/** Emits the report as a log record, where there is a logs API and its logger is enabled. */
function emitLogRecord(report: BreachReport): void {
  const { logs } = api as { logs?: Logs };
  const logger = logs?.getLogger("queuescope");
  if (logger === undefined || logger.enabled?.({ severityNumber: WARN, eventName: NAME }) === false) return;
  const { queue, tier } = report;
  logger.emit({
    eventName: NAME,
    severityNumber: WARN,
    severityText: "WARN",
    body: String(report),
    attributes: { "queue.name": queue, "queue.tier": tier, "queue.verdict": verdictOf(report) },
  });
}
