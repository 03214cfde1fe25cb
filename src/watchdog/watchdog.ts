import { EventEmitter } from "node:events";
import { performance } from "node:perf_hooks";
import { checkKnown, checkObject } from "../base/checks.js";
import { InvalidOptionTypeError, NotWatchableError } from "../base/errors.js";
import { print } from "../base/output.js";
import { processWide } from "../base/process-wide.js";
import { realNow, realWallNow } from "../base/real-time.js";
import { recorder } from "../base/recorder.js";
import type { Probe, RunningWatchdog, TierOf, Watchable } from "../contracts/index.js";
import type { BlockedHead, Stall } from "../stall-monitor/stall.js";
import { Waits } from "../waits/waits.js";
import { BreachAnnouncer, StallGracePeriod } from "./announcer.js";
import { Answers } from "./answers.js";
import { Events, type WatchdogEvents } from "./events.js";
import {
  checkWatchOptions,
  readOptions,
  readSlaFor,
  type WatchdogOptions,
  type WatchdogSettings,
  type WatchOptions,
} from "./options.js";
import { type DeepLook, lookDeep } from "./report/deep.js";
import type { BreachReport } from "./report/report.js";
import { Reporter } from "./report/reporter.js";
import { BLOCKING_CPU_SHARE, cpuMs } from "./sampling/history.js";
import { ProcessorWatch } from "./sampling/processor.js";
import { Pieces, Ticker } from "./sampling/schedule.js";
import { knowledgeOf } from "./sampling/tasks.js";
import { type ProcessFacts, WatchedQueue } from "./sampling/watched-queue.js";
import { UNKNOWN } from "./situation.js";
import { Stalls } from "./stalls.js";

/** What every copy of this library has instrumented, and by what the live view finds the watchdogs. */
const { instrumented, inspection } = processWide;

/**
 * Samples the head of every watched queue, compares its wait with the SLA and, on a breach, says why: as an event, a file, a log record and
 * a counter. A sample costs O(tiers), at any depth. The watchdog holds no process alive, and nothing it does reaches the user's work.
 *
 * @example
 * const orders = instrument(new FifoQueue<string>(), { name: "orders", sla: { default: { targetMs: 500 } } });
 * const watchdog = new Watchdog({ everyMs: 1_000 }).watch(orders).start();
 * watchdog.on("breach", (report) => console.error(String(report)));
 * await watchdog.stop();
 */
export class Watchdog extends EventEmitter<WatchdogEvents> {
  private readonly settings: WatchdogSettings;
  private readonly events = new Events(this);
  private readonly waits: Waits;
  private readonly processFacts: ProcessFacts;
  private readonly reporter: Reporter;
  private readonly ticker: Ticker;
  private readonly pieces = new Pieces();
  private readonly gracePeriod: StallGracePeriod;
  private readonly announcer: BreachAnnouncer;
  /** By what the user instrumented: the client of a broker may have several queues. */
  private readonly watched = new Map<object, readonly WatchedQueue[]>();
  private readonly byProbe = new WeakMap<Probe, WatchedQueue>();
  private readonly answers = new Answers();
  private readonly vitals = processWide.vitals;
  private readonly stalls: Stalls | undefined;
  private readonly processor: ProcessorWatch;
  private cpuMs = cpuMs();
  /** For the live view. */
  private readonly inspected: RunningWatchdog = {
    watches: (probe) => this.watchedBy(probe) !== undefined,
    slaOf: (probe, tier) => this.watchedBy(probe)?.slaOf(tier),
    reportOn: (probe, write) => this.reportOn(probe, write),
  };
  private isRunning = false;
  /** Whether a deep look that was asked for by a signal is under way. */
  private isLooking = false;
  private utilization = performance.eventLoopUtilization();
  private busy = 0;

  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(options?: WatchdogOptions) {
    super();
    this.settings = readOptions(options);
    const { clock, everyMs, stallThresholdMs: thresholdMs, stackEvery } = this.settings;
    const { print, reportDir, redact } = this.settings;
    this.waits = new Waits(stackEvery);
    this.processFacts = {
      ...knowledgeOf(this.waits),
      stalls: (at) => this.stalls?.now(at) ?? [],
      loopUtilization: () => this.busy,
      processor: (overMs) => this.processor.over(overMs),
      cpuMs: () => this.cpuMs,
    };
    this.processor = new ProcessorWatch(() => {
      try {
        return clock.now();
      } catch {
        return Number.NaN;
      }
    });
    this.reporter = new Reporter(this.settings, this.processFacts, this.events);
    this.ticker = new Ticker(clock, everyMs, this.events, (lateMs) => this.tick(lateMs));
    this.gracePeriod = new StallGracePeriod(
      clock,
      this.events,
      (...late) => this.stalls?.cameLate(...late),
      this.pieces,
    );
    this.announcer = new BreachAnnouncer(clock, this.reporter, this.gracePeriod, this.events);
    if (thresholdMs !== Number.POSITIVE_INFINITY) {
      this.stalls = new Stalls(
        () => this.queues(),
        { thresholdMs, print, reportDir, redact },
        {
          stall: (stall) => this.contain(() => this.stalled(stall)),
          breach: (...breach) => this.contain(() => this.breachedWhileBlocked(...breach)),
          error: (error) => this.events.fault(error),
        },
      );
    }
  }

  /**
   * Watches an instrumented queue, the queue of a pool, or all declared queues of a broker's client, until it is uninstrumented. Of one that is watched already it takes the options
   * that are given; the others stay as they were. Returns the watchdog. Throws `NotWatchableError` for a queue that isn't instrumented,
   * and an `InvalidOption…Error` for a bad option.
   */
  watch<Q extends object>(queueOrPool: Q, options?: WatchOptions<TierOf<Q>>): this {
    checkWatchOptions(options as WatchOptions | undefined);
    const { queue, watchables } = subjectOf(queueOrPool);
    const slas = watchables.map((each) =>
      options?.sla === undefined ? undefined : readSlaFor(each, options.sla),
    );
    const before = this.watched.get(queue);
    // What it was instrumented as before is over.
    if (before !== undefined && !isStill(queue, before)) this.letGo(queue, before);
    const watched = this.watched.get(queue) ?? this.add(queue, watchables);
    if (options === undefined) return this;
    for (const [i, each] of watched.entries()) {
      each.amend(options.name, slas[i]);
      this.declareBreaches(each);
    }
    return this;
  }

  private add(queue: object, watchables: readonly Watchable[]): readonly WatchedQueue[] {
    const { stalls, settings } = this;
    const watched = watchables.map((each) => new WatchedQueue(each, settings.minReportIntervalMs, stalls));
    this.watched.set(queue, watched);
    if (this.isRunning) this.answer(queue, watched);
    for (const each of watched) {
      this.byProbe.set(each.queue.probe, each);
      this.declareBreaches(each);
    }
    return watched;
  }

  /** Breaches of the tiers that have an SLA are counted from 0, by the causes that they can have. */
  private declareBreaches(watched: WatchedQueue): void {
    const { queue } = watched;
    const tiers = [...queue.probe.tiers.keys()].filter((tier) => watched.slaOf(tier) !== undefined);
    const other = queue.probe.broker === undefined ? "broker" : "process";
    const checks = this.settings.checks.filter(({ scope }) => scope !== other);
    for (const verdict of [...checks.map(({ name }) => name), UNKNOWN]) {
      for (const tier of tiers) queue.breached(tier, verdict, 0);
    }
  }

  /** All queues that are watched, in the order in which that began. */
  private *queues(): Iterable<WatchedQueue> {
    for (const watched of this.watched.values()) yield* watched;
  }

  /** For joins and drains that time out while the watchdog runs: those of a queue of ours, which is one. */
  private answer(queue: object, [watched]: readonly WatchedQueue[]): void {
    this.answers.give(queue, () => this.events.attempt(() => this.reporter.report(watched!)));
  }

  /** Begins to sample. Can be called again. Returns the watchdog. */
  start(): this {
    if (this.isRunning) return this;
    this.isRunning = true;
    recorder.interested++;
    inspection.watchdogs.add(this.inspected);
    this.contain(() => this.waits.start());
    this.contain(() => this.stalls?.start());
    this.contain(() => this.processor.start());
    const { signal } = this.settings;
    if (signal !== undefined) process.on(signal, this.onSignal);
    for (const [queue, watched] of this.watched) {
      for (const each of watched) this.contain(() => each.begin());
      this.answer(queue, watched);
    }
    this.contain(() => this.vitals.ran());
    // The first sample is soon, but not at once: listeners may be added after the start.
    this.ticker.start();
    return this;
  }

  /** Ends it; resolves when everything that it knows is announced. Can be called again, and before the start. */
  async stop(): Promise<void> {
    if (this.isRunning) this.end();
    await this.pieces.finished();
    await this.stalls?.stop();
    this.gracePeriod.release();
    await this.pieces.finished();
  }

  private end(): void {
    this.isRunning = false;
    recorder.interested--;
    inspection.watchdogs.delete(this.inspected);
    this.contain(() => this.waits.stop());
    this.contain(() => this.processor.stop());
    const { signal } = this.settings;
    if (signal !== undefined) process.off(signal, this.onSignal);
    this.ticker.stop();
    this.gracePeriod.wait();
    for (const queue of this.watched.keys()) this.answers.end(queue);
  }

  /**
   * A report on each watched queue as it is now, breach or not, on its most urgent tier; they are written to `reportDir`, too. That takes
   * about a millisecond for each queue, in which nothing else is done.
   */
  report(): BreachReport[];
  /**
   * The same, and where each async function of the tasks stands, to the line: as `npx queuescope tree` sees it, in a process of its own. This process
   * stands still meanwhile, for how long is told on stderr before; with a heap of more than 64 MB only where `force` is true. Its inspector is open for
   * that time. Rejects where the process can't be looked at so, by what must be done about that.
   *
   * @example
   * const jobs = instrument(new FifoQueue<string>(), { name: "jobs" });
   * const watchdog = new Watchdog().watch(jobs);
   * for (const report of await watchdog.report({ deep: true })) console.log(String(report));
   */
  report(options: { readonly deep: true; readonly force?: boolean | undefined }): Promise<BreachReport[]>;
  report(options?: {
    readonly deep?: boolean;
    readonly force?: boolean | undefined;
  }): BreachReport[] | Promise<BreachReport[]> {
    checkObject("options", options);
    checkKnown(options, { deep: true, force: true });
    return options?.deep === true ? this.deepReports(options.force === true) : this.reports();
  }

  private async deepReports(force: boolean): Promise<BreachReport[]> {
    return this.reports(await lookDeep(force));
  }

  private reports(deep?: DeepLook): BreachReport[] {
    this.letGoOfOthers();
    const all = [...this.queues()];
    const reports = all.map((watched) => this.reporter.report(watched, deep));
    for (const [i, watched] of all.entries()) this.reporter.write(reports[i]!, watched);
    return reports;
  }

  private watchedBy(probe: Probe): WatchedQueue | undefined {
    return this.byProbe.get(probe);
  }

  private reportOn(probe: Probe, write = false): BreachReport | undefined {
    const watched = this.watchedBy(probe);
    if (watched === undefined) return undefined;
    const report = this.reporter.report(watched);
    if (write) this.reporter.write(report, watched);
    return report;
  }

  private readonly onSignal = (): void => {
    if (!this.settings.deep) this.answerSignal();
    else if (!this.isLooking) {
      this.isLooking = true;
      lookDeep(false)
        .catch((error) => this.events.fault(error))
        .then((deep) => {
          this.isLooking = false;
          this.answerSignal(deep ?? undefined);
        });
    }
  };

  private answerSignal(deep?: DeepLook): void {
    this.pieces.begin();
    this.contain(() => this.letGoOfOthers());
    for (const watched of this.queues()) {
      this.inPieces(() => {
        const report = this.reporter.report(watched, deep);
        this.reporter.write(report, watched);
        print(String(report));
      });
    }
  }

  private tick(lateMs: number): void {
    this.pieces.begin();
    if (lateMs > this.settings.stallThresholdMs) {
      const wasAtWork = cpuMs() - this.cpuMs > BLOCKING_CPU_SHARE * lateMs;
      const late = wasAtWork ? { lateMs, endedAt: realNow() } : undefined;
      this.gracePeriod.begin(realWallNow() - lateMs, late);
    }
    this.contain(() => {
      const now = performance.eventLoopUtilization();
      this.busy = performance.eventLoopUtilization(now, this.utilization).utilization;
      this.utilization = now;
      this.cpuMs = cpuMs();
      this.vitals.ran();
    });
    this.contain(() => this.processor.look());
    // With very many queues, the last tick's work may not be done yet.
    if (this.pieces.isBusy) return;
    // A queue that throws must not hide the others.
    for (const [queue, watched] of this.watched) {
      if (!isStill(queue, watched)) this.inPieces(() => this.letGo(queue, watched));
      else for (const each of watched) this.inPieces(() => this.sample(each));
    }
  }

  private stalled(stall: Stall): void {
    this.vitals.stalled(stall.durationMs, stall.startedAt);
    recorder.tell("event loop", `blocked for ${Math.round(stall.durationMs)} ms`);
    this.gracePeriod.heard(stall.startedAt + stall.durationMs);
    this.events.emit("stall", stall);
  }

  /** The thread saw a breach while main was blocked: once the loop turns again, the item may be served at once. */
  private breachedWhileBlocked(watched: WatchedQueue, tier: number, { ageMs, slaMs, at }: BlockedHead): void {
    const seenMsAgo = realWallNow() - at;
    if (!watched.noteBreach(tier, ageMs - slaMs, seenMsAgo)) return;
    this.gracePeriod.begin(at);
    // Until now it could not be served.
    const waitMs = ageMs + seenMsAgo;
    this.pieces.begin();
    this.inPieces(() => this.announcer.breach(watched, tier, waitMs));
  }

  /** Ends the watch of queues that were uninstrumented. */
  private letGoOfOthers(): void {
    for (const [queue, watched] of this.watched) if (!isStill(queue, watched)) this.letGo(queue, watched);
  }

  private letGo(queue: object, watched: readonly WatchedQueue[]): void {
    this.watched.delete(queue);
    this.answers.end(queue);
    for (const each of watched) {
      this.byProbe.delete(each.queue.probe);
      const cleared = each.clear();
      if (cleared.length > 0) this.inPieces(() => this.announcer.cleared(each, cleared));
    }
  }

  private sample(watched: WatchedQueue): void {
    const changes = watched.sample(this.processFacts);
    if (changes === undefined) return;
    this.announcer.cleared(watched, changes.cleared);
    for (const { tier, waitMs } of changes.breached) this.announcer.breach(watched, tier, waitMs);
  }

  private inPieces(act: () => void): void {
    this.pieces.do(() => this.contain(act));
  }

  private contain(act: () => void): void {
    this.events.attempt(act);
  }
}

/** The queues that `watch` means by its argument, and the object that was instrumented. Throws `NotWatchableError` where there are none. */
function subjectOf(queueOrPool: unknown): {
  readonly queue: object;
  readonly watchables: readonly Watchable[];
} {
  if ((typeof queueOrPool !== "object" || queueOrPool === null) && typeof queueOrPool !== "function") {
    const allowed = "an instrumented queue, or a pool that works on one";
    throw new InvalidOptionTypeError("queueOrPool", queueOrPool, allowed);
  }
  const queue = instrumented.has(queueOrPool) ? queueOrPool : (queueOrPool as { queue?: object }).queue;
  const watchables = queue === undefined ? undefined : instrumented.get(queue)?.watchables;
  if (queue === undefined || watchables === undefined || watchables.length === 0)
    throw new NotWatchableError();
  return { queue, watchables };
}

/** Whether the queue is still instrumented, and has not been anew. */
function isStill(queue: object, watched: readonly WatchedQueue[]): boolean {
  return instrumented.get(queue)?.watchables[0] === watched[0]!.queue;
}
