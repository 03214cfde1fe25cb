import { EventEmitter } from "node:events";
import { performance } from "node:perf_hooks";
import { diag } from "@opentelemetry/api";
import { checkObject } from "../checks.js";
import type { Timer } from "../clock.js";
import { type Instrumented, REPORT, SUPPLY, type Vitals } from "../contracts.js";
import { InvalidOptionTypeError, NotWatchableError } from "../errors.js";
import { recorder } from "../recorder.js";
import { shared } from "../shared.js";
import { readSla } from "../sla.js";
import { UNKNOWN, verdictOf } from "./diagnose.js";
import { emitLogRecord } from "./log-record.js";
import { readOptions, type Settings, type WatchdogOptions, type WatchOptions } from "./options.js";
import { cpuMs, WORKING } from "./processor.js";
import type { BreachReport } from "./report.js";
import { type Guard, Reporter } from "./reporter.js";
import type { BlockedHead, Stall } from "./stall/stall.js";
import { Stalls } from "./stalls.js";
import { Told } from "./told.js";
import { Waits } from "./waits/waits.js";
import { type Cleared, type Surroundings, WatchedQueue } from "./watched-queue.js";

/** How long the thread is given to tell what blocked the event loop, in milliseconds. It takes up to half of that. */
const AFTER_STALL_MS = 400;

/** Until it is known what blocked the event loop nothing is told. */
interface Hold {
  /** In milliseconds since the Unix epoch: the stall that is meant ended later. */
  readonly from: number;
  /** Looks that came late: stalls of which the thread may not tell. */
  readonly late: { readonly lateMs: number; readonly endedAt: number }[];
  readonly timer: Timer;
}

/** What every copy of this library has instrumented. */
const instrumented = shared("instrumented", () => new WeakMap<object, Instrumented>());

/** What a watchdog tells, by event. */
export interface WatchdogEvents {
  /** The oldest item of a tier has waited longer than its SLA allows. */
  breach: [report: BreachReport];
  /** It doesn't any more. */
  cleared: [cleared: { queue: string; tier: string; lastedMs: number }];
  /** The event loop stood still. */
  stall: [stall: Stall];
  /** Something of the watchdog's own went wrong; it goes on. */
  error: [error: unknown];
}

/**
 * Looks at the head of every watched queue now and then, compares its wait with the SLA and, on a breach, says why: as an event, a file, a
 * log record and a counter. A look costs O(tiers), at any depth. It holds no process alive, and nothing it does reaches the user's work.
 */
export class Watchdog extends EventEmitter<WatchdogEvents> {
  private readonly settings: Settings;
  /** It dies neither silently nor loudly. */
  private readonly guard: Guard = {
    attempt: (act) => {
      try {
        return act();
      } catch (error) {
        this.guard.fault(error);
        return undefined;
      }
    },
    fault: (error) => {
      try {
        if (this.listenerCount("error") > 0) this.emit("error", error);
        else diag.warn("queuescope: something went wrong in the watchdog, which goes on", error);
      } catch {
        // A listener or logger that throws leaves nobody to tell.
      }
    },
  };
  private readonly waits: Waits;
  private readonly surroundings: Surroundings;
  private readonly reporter: Reporter;
  private readonly watched = new Map<object, WatchedQueue>();
  private readonly vitals = shared<Vitals>("vitals", () => ({ ran() {}, stalled() {} }));
  private readonly stalls: Stalls | undefined;
  private dueAt = 0;
  private hold: Hold | undefined = undefined;
  /** What is to be told when that is over: breaches, some of which may be over by then, too. */
  private readonly held: (() => void)[] = [];
  private cpuMs = cpuMs();
  private timer: Timer | undefined = undefined;
  private isRunning = false;
  private utilization = performance.eventLoopUtilization();
  private busy = 0;

  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(options?: WatchdogOptions) {
    // A listener may be an async function.
    super({ captureRejections: true });
    this.settings = readOptions(options);
    const { reportDir, stallThresholdMs: thresholdMs, stackEvery, print, redact } = this.settings;
    this.waits = new Waits({ stackEvery });
    this.surroundings = {
      waitsOf: (task) => {
        const now = performance.now();
        return this.waits
          .of(task)
          .map(({ kind, label, state, since, stack }) => ({ kind, label, state, forMs: now - since, stack }));
      },
      putAt: (task) => this.waits.putAt(task),
      neverResumes: (task) => this.waits.neverResumes(task),
      stalls: (at) => this.stalls?.now(at) ?? [],
      loopUtilization: () => this.busy,
    };
    this.reporter = new Reporter(this.settings, this.surroundings, this.guard);
    if (thresholdMs !== Number.POSITIVE_INFINITY) {
      this.stalls = new Stalls(
        () => this.watched.values(),
        { thresholdMs, print, reportDir, redact },
        {
          stall: (stall) => this.contain(() => this.stalled(stall)),
          breach: (breach) => this.contain(() => this.breachedWhileBlocked(breach)),
          error: (error) => this.guard.fault(error),
        },
      );
    }
  }

  /**
   * Watches an instrumented queue, or the queue of a pool, until it is uninstrumented. Returns the watchdog. Throws `NotWatchableError`
   * for a queue that isn't instrumented, and an `InvalidOption…Error` for a bad option.
   */
  watch(queueOrPool: object, options?: WatchOptions): this {
    checkObject("options", options);
    if (typeof queueOrPool !== "object" && typeof queueOrPool !== "function") {
      throw new InvalidOptionTypeError(
        "queueOrPool",
        queueOrPool,
        "an instrumented queue, or a pool that works on one",
      );
    }
    const queue = instrumented.has(queueOrPool)
      ? queueOrPool
      : (queueOrPool as { queue?: object } | null)?.queue;
    const found = queue === undefined ? undefined : instrumented.get(queue);
    if (queue === undefined || found === undefined) throw new NotWatchableError();
    const { watchable } = found;
    const names = [...watchable.probe.tiers, "default"];
    const sla = readSla(options?.sla, (tier) => names.includes(tier), names);
    // A pool adds nothing to its queue, unless it comes with a name or an SLA of its own.
    if (this.watched.get(queue)?.queue === watchable && options === undefined) return this;
    const told = new Told(this.settings.minReportIntervalMs);
    const watched = new WatchedQueue(watchable, options?.name ?? watchable.name, sla, told);
    this.watched.set(queue, watched);
    // For joins and drains that time out, while there is somebody who looks.
    if (SUPPLY in queue) {
      const value = () =>
        this.isRunning ? this.guard.attempt(() => this.reporter.report(watched)) : undefined;
      Object.defineProperty(queue, REPORT, { value, configurable: true });
    }
    for (const verdict of [...this.settings.checks.map(({ name }) => name), UNKNOWN]) {
      for (const tier of watchable.probe.tiers.keys()) watchable.breached(tier, verdict, 0);
    }
    return this;
  }

  /** Begins to look. Returns the watchdog. */
  start(): this {
    if (this.isRunning) return this;
    this.isRunning = true;
    recorder.interested++;
    this.contain(() => this.waits.start());
    this.contain(() => this.stalls?.start());
    const { signal } = this.settings;
    if (signal !== undefined) process.on(signal, this.onSignal);
    for (const watched of this.watched.values()) watched.begin();
    this.contain(() => this.vitals.ran());
    // Not at once: listeners are added after the start as well as before it.
    this.setTimer(0);
    return this;
  }

  /** Ends it; resolves when everything that it knows is told. */
  async stop(): Promise<void> {
    if (this.isRunning) this.end();
    await this.stalls?.stop();
    this.release();
  }

  private end(): void {
    this.isRunning = false;
    recorder.interested--;
    this.contain(() => this.waits.stop());
    const { signal, clock } = this.settings;
    if (signal !== undefined) process.off(signal, this.onSignal);
    if (this.timer !== undefined) clock.clearTimeout(this.timer);
    if (this.hold !== undefined) clock.clearTimeout(this.hold.timer);
  }

  /** A report on each watched queue as it is now, breach or not, the most urgent tier first; they are written to `reportDir`, too. */
  report(): BreachReport[] {
    this.letGo();
    const reports = [...this.watched.values()].map((watched) => this.reporter.report(watched));
    for (const report of reports) this.reporter.write(report);
    return reports;
  }

  private readonly onSignal = (): void => {
    this.contain(() => {
      for (const report of this.report()) process.stderr.write(`${report}\n`);
    });
  };

  private readonly look = (): void => {
    if (!this.isRunning) return;
    const { clock, everyMs, stallThresholdMs } = this.settings;
    const lateMs = clock.now() - this.dueAt;
    if (lateMs > stallThresholdMs) {
      const wasAtWork = cpuMs() - this.cpuMs > WORKING * lateMs;
      const { late } = this.holdBack(Date.now() - lateMs);
      if (wasAtWork) late.push({ lateMs, endedAt: performance.now() });
    }
    this.letGo();
    this.contain(() => this.stalls?.publish());
    this.contain(() => {
      const now = performance.eventLoopUtilization();
      this.busy = performance.eventLoopUtilization(now, this.utilization).utilization;
      this.utilization = now;
      this.cpuMs = cpuMs();
      this.vitals.ran();
    });
    // One that throws must not blind it for the others.
    for (const watched of this.watched.values()) this.contain(() => this.lookAt(watched));
    this.setTimer(everyMs);
  };

  /** The event loop stood still. The thread has yet to tell by what, and without that a verdict would be a guess. */
  private holdBack(from: number): Hold {
    if (this.hold !== undefined) return this.hold;
    const timer = this.settings.clock.setTimeout(() => this.release(), AFTER_STALL_MS);
    timer.unref?.();
    this.hold = { from, late: [], timer };
    return this.hold;
  }

  private release(): void {
    const { hold } = this;
    this.hold = undefined;
    if (hold === undefined) return;
    this.settings.clock.clearTimeout(hold.timer);
    for (const { lateMs, endedAt } of hold.late) this.stalls?.cameLate(lateMs, endedAt);
    for (const tell of this.held.splice(0)) this.contain(tell);
  }

  /** At once, or when it is known what blocked the event loop; also by a process that has nothing else left to do. */
  private inTurn(tell: () => void): void {
    if (this.hold === undefined) {
      this.contain(tell);
      return;
    }
    this.held.push(tell);
    this.hold.timer.ref?.();
  }

  private setTimer(delayMs: number): void {
    // A listener may have stopped it, and even started it again, in the midst of a look.
    if (!this.isRunning) return;
    const { clock } = this.settings;
    if (this.timer !== undefined) clock.clearTimeout(this.timer);
    this.dueAt = clock.now() + delayMs;
    this.timer = clock.setTimeout(this.look, delayMs);
    this.timer.unref?.();
  }

  private stalled(stall: Stall): void {
    this.vitals.stalled(stall.durationMs);
    recorder.tell("event loop", `stood still for ${Math.round(stall.durationMs)} ms`);
    // Of several it is the one that made us late.
    if (this.hold !== undefined && stall.startedAt + stall.durationMs > this.hold.from) this.release();
    this.emit("stall", stall);
  }

  /** What the thread saw while nobody here could look: when the loop turns again, the item may be served at once. */
  private breachedWhileBlocked({ queue, tier, ageMs, at }: BlockedHead): void {
    this.holdBack(at);
    const watched = [...this.watched.values()].find(({ name }) => name === queue);
    const index = watched?.queue.probe.tiers.indexOf(tier) ?? -1;
    // Until now nobody could serve it.
    if (watched !== undefined && index !== -1) this.breach(watched, index, ageMs + Date.now() - at);
  }

  /** Of queues that were uninstrumented nobody knows any more what they do. */
  private letGo(): void {
    for (const [queue, watched] of this.watched) {
      if (instrumented.get(queue)?.watchable === watched.queue) continue;
      this.watched.delete(queue);
      Reflect.deleteProperty(queue, REPORT);
      this.tellCleared(watched, watched.clear());
    }
  }

  private lookAt(watched: WatchedQueue): void {
    const { breached, cleared } = watched.look(this.surroundings);
    this.tellCleared(watched, cleared);
    for (const tier of breached) this.breach(watched, tier);
  }

  private tellCleared(watched: WatchedQueue, cleared: readonly Cleared[]): void {
    const tiers = watched.queue.probe.tiers;
    for (const { tier, lastedMs } of cleared) {
      this.inTurn(() => {
        watched.told.forget(tier);
        recorder.tell(watched.name, `tier ${tiers[tier]}: the SLA is met again`);
        this.emit("cleared", { queue: watched.name, tier: tiers[tier]!, lastedMs });
      });
    }
  }

  /** `waitMs`: how long the head has waited, where that was seen from elsewhere. */
  private breach(watched: WatchedQueue, tier: number, waitMs?: number): void {
    const now = this.settings.clock.now();
    if (watched.told.wants(tier, now) === undefined) return;
    const look = this.reporter.look(watched, tier, waitMs);
    this.inTurn(() => {
      const wants = watched.told.wants(tier, now);
      if (wants === undefined) return;
      const report = look();
      const namesCause = report.verdicts.length > 0;
      if (wants === "cause" && !namesCause) return;
      watched.told.tell(tier, now, namesCause);
      this.tellBreach(watched, tier, report);
    });
  }

  private tellBreach(watched: WatchedQueue, tier: number, report: BreachReport): void {
    const verdict = verdictOf(report);
    recorder.tell(watched.name, `tier ${report.tier}: the SLA is breached (${verdict})`);
    watched.queue.breached(tier, verdict, 1);
    this.reporter.write(report);
    this.contain(() => emitLogRecord(report));
    this.contain(() => this.emit("breach", report));
  }

  private contain(act: () => void): void {
    this.guard.attempt(act);
  }

  /** What a listener's promise rejects with; of one that is told of errors nobody is. */
  [Symbol.for("nodejs.rejection")](error: unknown, event: string): void {
    if (event !== "error") this.guard.fault(error);
  }
}
