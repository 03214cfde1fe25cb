import type { Clock } from "../base/clock.js";
import { recorder } from "../base/recorder.js";
import type { Cleared } from "./breaches.js";
import { verdictOf } from "./checks/diagnose.js";
import type { Events } from "./events.js";
import { emitLogRecord } from "./report/log-record.js";
import type { BreachReport } from "./report/report.js";
import type { Reporter } from "./report/reporter.js";
import type { WatchedQueue } from "./sampling/watched-queue.js";
import type { StallGracePeriod } from "./stall-grace-period.js";

/** Counts breaches and says when they begin and end: as events, files, log records and transitions, in the order in which they were seen. */
export class BreachAnnouncer {
  constructor(
    private readonly clock: Clock,
    private readonly reporter: Reporter,
    private readonly holdback: StallGracePeriod,
    private readonly events: Events,
  ) {}

  /** A tier is beyond its SLA. `waitMs`: how long the head has waited, where that was seen from elsewhere. */
  breach(watched: WatchedQueue, tier: number, waitMs?: number): void {
    const now = this.clock.now();
    const { told } = watched;
    const { isOn: isHeldBack } = this.holdback;
    // While something is held back it is not known yet what will have been told last.
    if (!isHeldBack && !told.wants(tier, now)) return;
    const sight = this.reporter.look(watched, tier, waitMs);
    if (isHeldBack) sight.keep();
    this.holdback.tell(() => {
      if (!told.wants(tier, now)) return;
      const diagnosis = sight.diagnose();
      const verdict = verdictOf(diagnosis);
      if (told.counts(tier, verdict)) watched.queue.breached(tier, verdict, 1);
      if (told.tells(tier, verdict, now)) this.tell(watched, verdict, sight.report(diagnosis));
    });
  }

  /** Breaches are over. Who was not told that one began need not know that. */
  cleared(watched: WatchedQueue, cleared: readonly Cleared[]): void {
    const { tiers } = watched.queue.probe;
    for (const { tier, lastedMs } of cleared) {
      this.holdback.tell(() => {
        if (!watched.told.end(tier)) return;
        recorder.tell(watched.name, `tier ${tiers[tier]}: the SLA is met again`);
        this.events.tell("cleared", { queue: watched.name, tier: tiers[tier]!, lastedMs });
      });
    }
  }

  private tell(watched: WatchedQueue, verdict: string, report: BreachReport): void {
    recorder.tell(watched.name, `tier ${report.tier}: the SLA is breached (${verdict})`);
    this.reporter.write(report, watched);
    this.events.attempt(() => emitLogRecord(report));
    this.events.tell("breach", report);
  }
}
