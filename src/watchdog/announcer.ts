import * as api from "@opentelemetry/api";
import { type Clock, type Timer, wallNow } from "../base/clock.js";
import { recorder } from "../base/recorder.js";
import { verdictOf } from "./checks/index.js";
import type { Events, Guard } from "./events.js";
import { ClearedReport, changesOf, stepsSince } from "./report/cleared.js";
import type { BreachReport } from "./report/report.js";
import type { Reporter } from "./report/reporter.js";
import { Pieces } from "./sampling/schedule.js";
import type { TierBreach } from "./sampling/tier-breach.js";
import type { Cleared, WatchedQueue } from "./sampling/watched-queue.js";
import { type Rates, UNKNOWN } from "./situation.js";

/** From this confidence on a verdict is sure. */
const SURE = 0.9;

/** Counts breaches and announces when they begin and end, in the order in which they were seen: as events, files, log records and transitions. */
export class BreachAnnouncer {
  /** What the queues did when their breaches were first reported. */
  private readonly before = new WeakMap<TierBreach, Rates>();

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
      const isStillSure = diagnosis.verdicts.some(
        ({ name, confidence }) => name === breach.reportedAs && confidence >= SURE,
      );
      const { count, report, corrects } = breach.decide(verdict, now, isStillSure);
      if (count) watched.queue.breached(tier, verdict, 1);
      if (!report) return;
      const told = snapshot.report(diagnosis, corrects);
      if (!this.before.has(breach)) this.before.set(breach, told.recent);
      this.announce(watched, verdict, told);
    });
  }

  /** Breaches have ended. No `cleared` for a breach that was not reported. */
  cleared(watched: WatchedQueue, cleared: readonly Cleared[]): void {
    for (const { tier, lastedMs, missed, recent } of cleared) {
      this.gracePeriod.announce(() => {
        const breach = watched.breachOf(tier);
        const { reportedAs: verdict = UNKNOWN } = breach;
        const before = this.before.get(breach);
        this.before.delete(breach);
        if (!breach.close()) return;
        const name = watched.queue.probe.tiers[tier]!;
        const changed = before === undefined ? [] : changesOf(before, recent);
        const helped = [...stepsSince(wallNow() - lastedMs), ...changed];
        recorder.tell(watched.name, `tier ${name}: the SLA is met again`);
        this.events.emit("cleared", new ClearedReport(watched.name, name, lastedMs, verdict, missed, helped));
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

/** How long the thread has to say what blocked the event loop, in milliseconds. It takes up to half of that. */
const AFTER_STALL_MS = 400;
/** How many stalls that follow each other are waited for: a loop that is blocked again and again is to be told of, too. */
const MAX_STALLS = 3;

interface Hold {
  /** In milliseconds since the Unix epoch: the last stall that is meant ended later. */
  from: number;
  /** How many stalls there were. */
  stalls: number;
  /** Late ticks: stalls that the thread may have missed. */
  readonly late: { readonly lateMs: number; readonly endedAt: number }[];
  timer: Timer | undefined;
}

/**
 * After a stall the thread has yet to say what blocked the event loop, and without that a verdict would be a guess: until then
 * announcements are held back. They stay in order.
 */
export class StallGracePeriod {
  private hold: Hold | undefined = undefined;
  private readonly held: (() => void)[] = [];

  /** `cameLate` gets the late ticks at the end of the period; `endedAt` is in monotonic milliseconds. */
  constructor(
    private readonly clock: Clock,
    private readonly guard: Guard,
    private readonly cameLate: (lateMs: number, endedAt: number) => void,
    private readonly pieces = new Pieces(),
  ) {}

  get isOn(): boolean {
    return this.hold !== undefined;
  }

  /** The event loop was blocked after an instant, in milliseconds since the Unix epoch. */
  begin(from: number, late?: { readonly lateMs: number; readonly endedAt: number }): void {
    const { hold } = this;
    if (hold === undefined) {
      const timer = this.timer();
      // Without a clock it would never end.
      if (timer === undefined) return;
      this.hold = { from, stalls: 1, late: [], timer };
    } else if (hold.timer !== undefined && hold.stalls < MAX_STALLS) this.extend(hold, from);
    if (late !== undefined) this.hold!.late.push(late);
  }

  /** What the thread tells next is of the stall before, and the time for this one begins now. */
  private extend(hold: Hold, from: number): void {
    const timer = this.timer();
    if (timer === undefined) return;
    this.clear(hold);
    if (this.held.length > 0) timer.ref?.();
    Object.assign(hold, { from, stalls: hold.stalls + 1, timer });
  }

  private timer(): Timer | undefined {
    const timer = this.guard.attempt(() => this.clock.setTimeout(() => this.release(), AFTER_STALL_MS));
    timer?.unref?.();
    return timer;
  }

  /** The thread has reported a stall that ended then, in milliseconds since the Unix epoch. One that ended before the period is another one. */
  heard(endedAt: number): void {
    if (this.hold !== undefined && endedAt > this.hold.from) this.release();
  }

  /** Calls `act` at once, or at the end of the period, which then holds the process. */
  announce(act: () => void): void {
    if (this.hold === undefined) {
      this.pieces.do(() => this.guard.attempt(act));
      return;
    }
    this.held.push(act);
    this.hold.timer?.ref?.();
  }

  /** From now on the period ends only by {@link release} and {@link heard}. */
  wait(): void {
    if (this.hold !== undefined) this.clear(this.hold);
  }

  release(): void {
    const { hold } = this;
    this.hold = undefined;
    if (hold === undefined) return;
    this.clear(hold);
    for (const { lateMs, endedAt } of hold.late) this.cameLate(lateMs, endedAt);
    this.pieces.begin();
    for (const act of this.held.splice(0)) this.pieces.do(() => this.guard.attempt(act));
  }

  private clear(hold: Hold): void {
    const { timer } = hold;
    hold.timer = undefined;
    if (timer !== undefined) this.guard.attempt(() => this.clock.clearTimeout(timer));
  }
}
