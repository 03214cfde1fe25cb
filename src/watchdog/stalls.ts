import { cut } from "../base/limits.js";
import { realNow, realWallNow } from "../base/real-time.js";
import type { StallWatcherOptions } from "../stall-monitor/options.js";
import type { SharedHead } from "../stall-monitor/shared-head.js";
import type { BlockedHead, StackFrame, Stall, StallTask } from "../stall-monitor/stall.js";
import { StallWatcher } from "../stall-monitor/watcher.js";
import { makeFolder } from "./report/make-folder.js";
import type { WatchedQueue } from "./sampling/watched-queue.js";
import type { StallNow } from "./situation.js";

/** How long a stall is remembered, in milliseconds, and how many are. */
const REMEMBERED_MS = 300_000;
const MOST = 50;

/** How much of names in a stack is kept, in characters: a module may be called by all of its source. */
const MAX_FUNCTION = 200;
const MAX_FILE = 500;

interface Heard {
  /** Monotonic milliseconds. */
  readonly endedAt: number;
  readonly durationMs: number;
  readonly where: string | undefined;
  readonly isNative: boolean;
  readonly correlationId: string | undefined;
}

/** What is known of the event loop's stalls: what the thread tells, or, where it can't, that the watchdog itself came late. */
export class Stalls {
  private readonly watcher: StallWatcher;
  private readonly slots = new Map<WatchedQueue, Map<number, SharedHead>>();
  private heard: Heard[] = [];

  constructor(
    private readonly queues: () => Iterable<WatchedQueue>,
    private readonly options: Pick<StallWatcherOptions, "thresholdMs" | "print" | "reportDir" | "redact">,
    private readonly tell: {
      stall(stall: Stall): void;
      breach(watched: WatchedQueue, tier: number, breach: BlockedHead): void;
      error(error: unknown): void;
    },
  ) {
    this.watcher = new StallWatcher({
      ...options,
      describe: (store) => this.taskOf(store),
      refresh: () => this.publish(true),
    })
      .onStall((stall) => {
        this.hear({
          endedAt: realNow() - (realWallNow() - stall.startedAt - stall.durationMs),
          durationMs: stall.durationMs,
          where: stall.where === undefined ? undefined : inWords(stall.where),
          isNative: stall.isNative,
          correlationId: stall.task?.correlationId,
        });
        tell.stall(stall);
      })
      // One that was not seen since the event loop is blocked may have been served before.
      .onBreach((breach) => {
        const head = this.headIn(breach.slot);
        if (head !== undefined && breach.seenAgoMs <= breach.blockedMs) tell.breach(...head, breach);
      })
      .onError((error) => tell.error(error));
  }

  start(): void {
    const { reportDir } = this.options;
    try {
      // The thread doesn't make it, and the first stall may come before the first report.
      if (reportDir !== undefined) makeFolder(reportDir);
    } catch (error) {
      this.tell.error(error);
    }
    this.watcher.start();
  }

  stop(): Promise<void> {
    for (const queue of this.slots.keys()) this.release(queue);
    return this.watcher.stop();
  }

  /** Shows the heads to the thread, which compares them with their SLA while nobody here can. */
  publish(inTheMidst = false): void {
    const queues = new Set(this.queues());
    for (const queue of this.slots.keys()) if (!queues.has(queue)) this.release(queue);
    for (const queue of queues) {
      for (const { tier, name, waitMs, targetMs } of queue.promises(inTheMidst)) {
        let slots = this.slots.get(queue);
        if (slots === undefined) {
          slots = new Map();
          this.slots.set(queue, slots);
        }
        let slot = slots.get(tier);
        if (slot === undefined) {
          slot = this.watcher.slot(queue.name, name);
          slots.set(tier, slot);
        }
        slot.publish(waitMs, targetMs);
      }
    }
  }

  /** Its name or its promises are others now: they are shown from the next look on. */
  renew(queue: WatchedQueue): void {
    this.release(queue);
  }

  /** The watchdog came so late that the event loop must have stood still, until an instant of monotonic time; nobody may have seen where. */
  cameLate(lateMs: number, endedAt: number): void {
    const isKnown = this.heard.some((stall) => stall.endedAt > endedAt - lateMs);
    if (!isKnown) {
      this.hear({ endedAt, durationMs: lateMs, where: undefined, isNative: false, correlationId: undefined });
    }
  }

  /** The latest first; for what was seen at an instant of monotonic time. */
  now(now = realNow()): StallNow[] {
    return this.heard
      .filter(({ endedAt }) => now - endedAt < REMEMBERED_MS)
      .map(({ endedAt, ...stall }) => ({ ...stall, endedMsAgo: Math.max(0, now - endedAt) }))
      .reverse();
  }

  private hear(stall: Heard): void {
    this.heard = [...this.heard, stall].slice(-MOST);
  }

  /** Whose head a slot shows: names don't tell, because several queues may have the same. */
  private headIn(index: number): [WatchedQueue, number] | undefined {
    for (const [queue, slots] of this.slots) {
      for (const [tier, slot] of slots) if (slot.index === index) return [queue, tier];
    }
    return undefined;
  }

  private release(queue: WatchedQueue): void {
    for (const slot of this.slots.get(queue)?.values() ?? []) slot.release();
    this.slots.delete(queue);
  }

  /** By its correlation ID, because what is in the store need not be what is in flight, but only look like it. */
  private taskOf(store: unknown): StallTask | undefined {
    const id = (store as { correlationId?: string } | undefined)?.correlationId;
    if (id === undefined) return undefined;
    for (const queue of this.queues()) {
      for (const { workers } of queue.workers()) {
        const worker = workers.find(({ work }) => work?.correlationId === id);
        if (worker !== undefined) return { queue: queue.name, step: worker.step };
      }
    }
    return undefined;
  }
}

function inWords({ functionName, file, line }: StackFrame): string {
  const place = file === undefined ? "" : ` (${cut(file, MAX_FILE)}${line === undefined ? "" : `:${line}`})`;
  return `${cut(functionName ?? "anonymous code", MAX_FUNCTION)}${place}`;
}
