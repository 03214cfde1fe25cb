import { cut } from "../base/limits.js";
import { realNow, realWallNow } from "../base/real-time.js";
import type { SharedHead } from "../stall-monitor/shared-heads.js";
import type {
  BlockedHead,
  StackFrame,
  Stall,
  StallMonitorOptions,
  StallTask,
} from "../stall-monitor/stall.js";
import { StallMonitor } from "../stall-monitor/stall-monitor.js";
import { makeFolder } from "./report/files.js";
import type { WatchedQueue } from "./sampling/watched-queue.js";
import type { StallNow } from "./situation.js";

/** How long a stall is remembered, in milliseconds, and how many are. */
const REMEMBERED_MS = 300_000;
const MAX_REMEMBERED = 50;

/** How much of names in a stack is kept, in characters: a module may be called by all of its source. */
const MAX_FUNCTION = 200;
const MAX_FILE = 500;

interface PastStall {
  /** Monotonic milliseconds. */
  readonly endedAt: number;
  readonly durationMs: number;
  readonly where: string | undefined;
  readonly isNative: boolean;
  readonly correlationId: string | undefined;
}

/** The stalls of the event loop, as the thread saw them, or, where it can't, as late ticks of the watchdog show. */
export class Stalls {
  private readonly monitor: StallMonitor;
  private past: PastStall[] = [];

  constructor(
    private readonly queues: () => Iterable<WatchedQueue>,
    private readonly options: Pick<StallMonitorOptions, "thresholdMs" | "print" | "reportDir" | "redact">,
    private readonly listeners: {
      stall(stall: Stall): void;
      breach(watched: WatchedQueue, tier: number, breach: BlockedHead): void;
      error(error: unknown): void;
    },
  ) {
    this.monitor = new StallMonitor(
      { ...options, describe: (store) => this.taskOf(store), refresh: () => this.refresh() },
      {
        stall: (stall) => {
          this.remember({
            endedAt: realNow() - (realWallNow() - stall.startedAt - stall.durationMs),
            durationMs: stall.durationMs,
            where: stall.where === undefined ? undefined : inWords(stall.where),
            isNative: stall.isNative,
            correlationId: stall.task?.correlationId,
          });
          listeners.stall(stall);
        },
        breach: (breach) => {
          const watched = this.watchedHead(breach.head);
          // A head that was last read before the block may have been served meanwhile.
          if (watched !== undefined && breach.seenAgoMs <= breach.blockedMs)
            listeners.breach(...watched, breach);
        },
        error: (error) => listeners.error(error),
      },
    );
  }

  start(): void {
    const { reportDir } = this.options;
    try {
      // The thread doesn't make the folder, and the first stall may come before the first report.
      if (reportDir !== undefined) makeFolder(reportDir);
    } catch (error) {
      this.listeners.error(error);
    }
    this.monitor.start();
  }

  stop(): Promise<void> {
    for (const queue of this.queues()) queue.hideHeads();
    return this.monitor.stop();
  }

  /** Where the thread sees the head of a tier. */
  head(queue: string, tier: string): SharedHead {
    return this.monitor.head(queue, tier);
  }

  /** The watchdog ticked so late that the event loop must have been blocked, until an instant of monotonic time; perhaps unseen by the thread. */
  cameLate(lateMs: number, endedAt: number): void {
    const isKnown = this.past.some((stall) => stall.endedAt > endedAt - lateMs);
    if (!isKnown) {
      this.remember({
        endedAt,
        durationMs: lateMs,
        where: undefined,
        isNative: false,
        correlationId: undefined,
      });
    }
  }

  /** The latest first; for what was seen at an instant of monotonic time. */
  now(now = realNow()): StallNow[] {
    return this.past
      .filter(({ endedAt }) => now - endedAt < REMEMBERED_MS)
      .map(({ endedAt, ...stall }) => ({ ...stall, endedMsAgo: Math.max(0, now - endedAt) }))
      .reverse();
  }

  private remember(stall: PastStall): void {
    this.past = [...this.past, stall].slice(-MAX_REMEMBERED);
  }

  /** The queue and tier of a shared head. Several queues may have the same name. */
  private watchedHead(index: number): [WatchedQueue, number] | undefined {
    for (const queue of this.queues()) {
      const tier = queue.tierOfHead(index);
      if (tier !== undefined) return [queue, tier];
    }
    return undefined;
  }

  /** None counts that was served before the block. In the midst of whatever runs: heads are only read. */
  private refresh(): void {
    for (const queue of this.queues()) queue.showHeads();
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
