import { systemClock } from "../base/clock.js";
import { LinkedList } from "../base/linked-list.js";
import { adopted, bound, isOfThisRealm, whenAwaited, whenSettled } from "../base/thenable.js";
import { earlier, Unsettled, type UnsettledEnd, UnsettledItems } from "../base/unsettled.js";
import type { DropReason, OpenContext, Probe, QueueTelemetry } from "../contracts/index.js";
import { Task, type TaskClass } from "./task.js";

/** What the queue does with what a handler returns. */
type End = "awaited" | "listened" | "callback";

/** What the foreign queue says about itself, each O(1). */
export interface QueueReadings {
  /** How many items wait. */
  size(): number;
  /** How many are being processed; undefined where that is not known. */
  running(): number | undefined;
  /** Which task is served next, if that can be said. */
  head?(): Task | undefined;
  /** Whether the first of two priorities is served before the other one. Absent where there are none. */
  isMoreUrgent?(one: number, other: number): boolean;
  /** Whether the queue is paused. Absent where it can't be. */
  isPaused?(): boolean;
  isRateLimited?(): boolean;
  /** Callers blocked in put and in get; undefined where the queue blocks no caller. */
  waitingPuts?(): number;
  waitingGets?(): number;
}

/**
 * The books of a foreign queue: which tasks wait, in which tier and since when, and which are running. Each entry is passed on to
 * the telemetry, once. Each step is O(1), but for a change of priority.
 *
 * @example
 * const desk = { serve: (work: () => void) => work() };
 * const adapter: Adapter<typeof desk> = {
 *   system: "desk",
 *   tiersOf: () => ["default"],
 *   attach(queue, telemetry) {
 *     const ledger = new Ledger(telemetry);
 *     const restore = patch(queue, {
 *       serve: (original) => (work: () => void) => {
 *         const task = ledger.enter(work, 0);
 *         ledger.take(task);
 *         original.call(queue, () => whenOver(ledger.run(task, work), (failure) => ledger.settle(task, failure)));
 *       },
 *     });
 *     return { probe: ledger.probe({ size: () => ledger.size, running: () => ledger.running.size }), detach: () => [ledger.close(), restore()] };
 *   },
 * };
 * instrument(desk, { name: "desk", adapter }).serve(() => console.log("served"));
 */
export class Ledger<T extends Task = Task> {
  /** Tasks that were taken, in that order. */
  readonly running = new LinkedList<T>();
  /** Tasks that wait. */
  size = 0;
  /** When a task was settled, lately: monotonic milliseconds. */
  settledAt = Number.NaN;
  /** Whether tasks count that aren't running yet. */
  isOpen = true;
  /** Those that wait, by tier, in order of arrival. */
  private readonly waiting: LinkedList<T>[] = [new LinkedList<T>()];
  /** The priority of each tier. */
  private readonly priorities: number[] = [0];
  private readonly openedAt = systemClock.now();
  /** Of those tiers whose completion is promised. */
  private readonly unsettled = new UnsettledItems();

  constructor(
    private readonly telemetry: QueueTelemetry,
    /** The class of its tasks. */
    private readonly tasks: TaskClass<T> = Task as unknown as TaskClass<T>,
  ) {
    this.unsettled.judge = telemetry;
  }

  /** The tier of a priority; of what is none, that of 0. */
  tierOf(priority: unknown): number {
    if (typeof priority !== "number" || priority === 0) return 0;
    const tier = this.telemetry.tierOf(priority);
    this.priorities[tier] ??= priority;
    return tier;
  }

  /** A put begins, in its caller's async context. */
  enter(item: unknown, tier = 0): T {
    const { telemetry } = this;
    const carrier = telemetry.putStarted(tier, undefined, 1);
    const task = new this.tasks(telemetry, carrier, tier, systemClock.now(), item);
    this.line(tier).append(task);
    this.size++;
    return task;
  }

  /** An item that was there before us: it ages from now on. */
  adopt(item: unknown, tier = 0): T {
    const task = new this.tasks(this.telemetry, undefined, tier, this.openedAt, item);
    task.stage = "waiting";
    this.line(tier).append(task);
    this.size++;
    this.follow(task);
    return task;
  }

  /** The put is over, and its item is in the queue, unless it came out already. */
  entered(task: T, tookMs = 0): void {
    if (task.stage !== "entering") return;
    this.cameIn(task, tookMs);
    // What becomes of it will not be told.
    if (!this.isOpen) this.lose(task);
  }

  /** The put is over, and its item is not in the queue. */
  refused(task: T, error: unknown): void {
    if (task.stage !== "entering") return;
    const { carrier } = task;
    this.leave(task);
    task.close();
    this.telemetry.putFailed(carrier, task.tierIndex, 0, 0, error);
  }

  /**
   * The task is taken, once; one that is taken before its put has returned has not waited. `at` is the time, where it is known: monotonic
   * milliseconds.
   */
  take(task: T, at?: number): void {
    if (!isInside(task)) return;
    const now = task.stage === "entering" && task.isOnStack ? task.at : (at ?? systemClock.now());
    this.cameIn(task, now - task.at);
    this.leave(task);
    task.stage = "running";
    task.takenAt = now;
    this.running.append(task);
    this.telemetry.taken(task.carrier, task.tierIndex, task.at, now, 1);
  }

  /**
   * Opens the span of a task that was taken, and calls its handler in the context of its put. What the handler returns, the queue will
   * await, or listen to at once by its `then`, or leave alone, because the task has a callback: a thenable that begins its work only then does
   * so in the task's context, too. Where it is awaited, a promise comes back instead.
   */
  run<R>(task: T, handler: () => R, end: End = "awaited"): R {
    const opened = this.open(task);
    let result: R;
    try {
      result = opened.scope.runInAsyncScope(handler);
    } catch (error) {
      opened.threw?.(error);
      throw error;
    }
    opened.returned?.(result);
    return prepared(result, opened, end) as R;
  }

  /** Opens the span of a task that was taken, and makes the context for a handler that calls back. */
  open(task: T): OpenContext {
    const { telemetry } = this;
    task.began = telemetry.begin(task.carrier, task);
    return telemetry.open(task.began, task.carrier, task, task.scope);
  }

  /** A task that was taken is settled; from the second time on, nothing happens. */
  settle(task: T, failure?: { readonly error: unknown }): void {
    if (task.stage !== "running") return;
    this.running.remove(task);
    task.close();
    const now = systemClock.now();
    this.settledAt = now;
    this.completed(task, "settled", now);
    const processMs = now - task.takenAt;
    if (failure === undefined) this.telemetry.settled("success", processMs, undefined, task);
    else this.telemetry.settled("failure", processMs, failure.error, task);
    if (task.began !== undefined) this.telemetry.end(task.began, failure);
  }

  /** A task was taken whose end will not be told. */
  forget(task: T): void {
    if (task.stage !== "running") return;
    this.running.remove(task);
    task.close();
    this.completed(task, "left");
  }

  /** A task must have left the queue, by ways that were not seen. */
  lose(task: T): void {
    this.out(task, "left");
  }

  /** A task leaves the queue without being taken. */
  drop(task: T, reason: DropReason): void {
    if (!isInside(task)) return;
    this.out(task, reason === "shutdown" ? "left" : "dropped");
    this.telemetry.dropped(task.tierIndex, reason, 1);
  }

  dropAll(reason: DropReason): void {
    for (const line of this.waiting) while (line.first !== undefined) this.drop(line.first, reason);
  }

  /** The task has another priority from now on; its age stays. */
  move(task: T, tier: number): void {
    this.line(task.tierIndex).remove(task);
    task.tierIndex = tier;
    const line = this.line(tier);
    let elder = line.last;
    while (elder !== undefined && elder.at > task.at) elder = elder.previous;
    line.insertAfter(elder, task);
    if (task.unsettled === undefined) this.follow(task);
    else this.unsettled.move(task.unsettled, tier);
  }

  /** The task that waits longest in the tier. */
  oldest(tier = 0): T | undefined {
    return this.waiting[tier]?.first;
  }

  /** The oldest task of the most urgent tier; `isMore` says whether the first of two priorities is the more urgent one. */
  mostUrgent(isMore: (one: number, other: number) => boolean): T | undefined {
    let best: number | undefined;
    for (const [tier, line] of this.waiting.entries()) {
      if (line.size === 0) continue;
      if (best === undefined || isMore(this.priorities[tier]!, this.priorities[best]!)) best = tier;
    }
    return best === undefined ? undefined : this.oldest(best);
  }

  /** Nothing counts any more, but the end of what is running or being put. */
  close(): void {
    this.isOpen = false;
    for (const line of this.waiting) {
      let next: T | undefined;
      for (let task = line.first; task !== undefined; task = next) {
        next = task.next;
        if (task.stage === "waiting") this.lose(task);
      }
    }
  }

  probe(figures: QueueReadings): Probe {
    const { telemetry, waiting, running, priorities, unsettled } = this;
    let strangersSince = this.openedAt;
    /** How many more are in the queue than we know of: they were there before us, or came by ways that we don't see. */
    const strangers = () => figures.size() - this.size;
    const oldestAt = (tier: number) => {
      if (tier === 0) {
        if (strangers() > 0) return strangersSince;
        // What is found later has come since.
        strangersSince = systemClock.now();
      }
      return figures.size() === 0 ? undefined : waiting[tier]?.first?.at;
    };
    return {
      get tiers() {
        return telemetry.tierNames;
      },
      now: () => systemClock.now(),
      // The tier of items from before is not known. Where there are fewer than we know of, some have left by ways that we don't see. They are
      // asked for first, because to tell a size, a queue may bring these books up to date.
      depth: (tier) => Math.max(0, (tier === 0 ? strangers() : 0) + (waiting[tier]?.size ?? 0)),
      oldestAt,
      glimpseAt: (tier) => waiting[tier]?.first?.at,
      unsettledAt(tier) {
        let oldest = oldestAt(tier);
        // In order of taking, which need not be that of arrival.
        for (let task = running.first; task !== undefined; task = task.next) {
          if (task.tierIndex === tier) oldest = earlier(oldest, task.at);
        }
        return oldest;
      },
      judgeLate: () => unsettled.judgeLate(systemClock.now()),
      headAt: () => figures.head?.()?.at,
      isMoreUrgent: (tier, other) =>
        figures.isMoreUrgent?.(priorities[tier] ?? 0, priorities[other] ?? 0) ?? tier < other,
      get isPaused() {
        return figures.isPaused?.();
      },
      get isRateLimited() {
        return figures.isRateLimited?.();
      },
      capacity: Number.POSITIVE_INFINITY,
      delayed: undefined,
      get inFlight() {
        return figures.running();
      },
      get inFlightOldestAt() {
        return running.first?.takenAt;
      },
      *tasks() {
        for (let task = running.first; task !== undefined; task = task.next) {
          yield { facts: task, takenAt: task.takenAt, carrier: task.carrier };
        }
      },
      get waitingPuts() {
        return figures.waitingPuts?.();
      },
      get waitingGets() {
        return figures.waitingGets?.();
      },
    };
  }

  private cameIn(task: T, tookMs = 0): void {
    if (task.stage !== "entering") return;
    task.stage = "waiting";
    this.telemetry.putDone(task.carrier, task.tierIndex, 1, tookMs);
    this.follow(task);
  }

  private follow(task: T): void {
    if (task.stage !== "waiting" || this.telemetry.completeMsOf?.(task.tierIndex) === undefined) return;
    task.unsettled = new Unsettled(task.at, task.tierIndex);
    this.unsettled.add(task.unsettled);
  }

  private completed({ unsettled }: T, how: UnsettledEnd, now?: number): void {
    if (unsettled !== undefined) this.unsettled.end(unsettled, now ?? systemClock.now(), how);
  }

  /** It leaves the queue, and is not taken. */
  private out(task: T, how: UnsettledEnd): void {
    if (!isInside(task)) return;
    this.cameIn(task);
    this.leave(task);
    task.close();
    this.completed(task, how);
  }

  private leave(task: T): void {
    this.line(task.tierIndex).remove(task);
    this.size--;
  }

  private line(tier: number): LinkedList<T> {
    while (this.waiting.length <= tier) this.waiting.push(new LinkedList<T>());
    return this.waiting[tier]!;
  }
}

const PREPARE = { awaited: adopted, listened: bound, callback: undefined };

/** What a handler returned, as the queue is to get it. A plain promise has begun, and stays as it is. */
export function prepared(result: unknown, { scope }: OpenContext, end: End): unknown {
  const prepare = PREPARE[end];
  if (prepare === undefined || isOfThisRealm(result)) return result;
  return typeof result === "object" || typeof result === "function"
    ? scope.runInAsyncScope(prepare, undefined, result)
    : result;
}

function isInside({ stage }: Task): boolean {
  return stage === "entering" || stage === "waiting";
}

/**
 * Calls back when what a handler returned is over: at once, unless it is a promise. Returns it. Of a thenable that may begin only when it is
 * awaited, it learns from the one who awaits it, through the object's `then`.
 *
 * @example
 * whenOver(Promise.resolve("sent"), (failure) => console.log(failure === undefined ? "done" : failure.error));
 */
export function whenOver<R>(result: R, over: (failure?: { readonly error: unknown }) => void): R {
  const fulfilled = () => over();
  const rejected = (error: unknown) => over({ error });
  follow(result, fulfilled, rejected);
  return result;
}

/** {@link whenOver} with a callback for each. What is no promise counts as fulfilled. */
export function follow(result: unknown, fulfilled: () => void, rejected: (error: unknown) => void): void {
  if (!whenSettled(result, fulfilled, rejected) && !whenAwaited(result, fulfilled, rejected)) fulfilled();
}
