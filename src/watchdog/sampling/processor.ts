import { readFileSync } from "node:fs";
import { PerformanceObserver } from "node:perf_hooks";
import type { ProcessorNow } from "../situation.js";

/** How many looks are remembered: with one a second, a minute. */
const MAX_LOOKS = 61;

/** Of the thread that reads it: nanoseconds on a processor, and ready to run without one. Linux only. */
const SCHEDULED = "/proc/thread-self/schedstat";

/** What a look keeps: all but the instant are counts that only rise. */
interface Look {
  readonly at: number;
  readonly ranMs: number | undefined;
  readonly queuedMs: number | undefined;
  readonly gcMs: number;
  /** Periods of the CPU quota, and those among them in which the process was throttled. */
  readonly periods: number | undefined;
  readonly throttled: number | undefined;
}

/**
 * What share of the processor the event loop's thread had, and what its garbage took, lately. What the system doesn't tell is undefined.
 * A look costs two small reads.
 */
export class ProcessorWatch {
  private readonly looks: Look[] = [];
  private gcMs = 0;
  private observer: PerformanceObserver | undefined = undefined;
  private quota: string | undefined = undefined;

  /** `now` gives monotonic milliseconds. */
  constructor(private readonly now: () => number) {}

  /** Can be called again. */
  start(): void {
    if (this.observer !== undefined) return;
    this.quota = quotaFile();
    this.observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.gcMs += duration;
    });
    this.observer.observe({ entryTypes: ["gc"] });
    this.look();
  }

  stop(): void {
    this.observer?.disconnect();
    this.observer = undefined;
    this.looks.length = 0;
  }

  look(): void {
    const current = this.current();
    // A clock of the user's that fails has been told of.
    if (!Number.isFinite(current.at)) return;
    this.looks.push(current);
    if (this.looks.length > MAX_LOOKS) this.looks.shift();
  }

  /** Over about so many milliseconds, as far back as looks go. */
  over(overMs: number): ProcessorNow {
    const current = this.current();
    const from = current.at - overMs;
    const first = this.looks.findLast(({ at }) => at <= from) ?? this.looks[0] ?? current;
    const since = (count: Exclude<keyof Look, "at" | "gcMs">) => {
      const [before, after] = [first[count], current[count]];
      return before === undefined || after === undefined ? undefined : after - before;
    };
    const [periods, throttled] = [since("periods"), since("throttled")];
    // Not by an import, so that a process without watchdogs doesn't load it.
    const { getHeapStatistics } = process.getBuiltinModule("node:v8");
    const { used_heap_size: heapBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
    return {
      windowMs: current.at - first.at,
      ranMs: since("ranMs"),
      queuedMs: since("queuedMs"),
      throttledShare:
        periods === undefined || throttled === undefined || periods <= 0 ? undefined : throttled / periods,
      gcMs: current.gcMs - first.gcMs,
      heapBytes,
      heapLimitBytes,
    };
  }

  private current(): Look {
    const [ran, queued] = numbersIn(SCHEDULED, /\d+/g);
    const stat = this.quota === undefined ? undefined : read(this.quota);
    return {
      at: this.now(),
      ranMs: ran === undefined ? undefined : ran / 1e6,
      queuedMs: queued === undefined ? undefined : queued / 1e6,
      gcMs: this.gcMs,
      periods: numberAfter("nr_periods", stat),
      throttled: numberAfter("nr_throttled", stat),
    };
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}

function numbersIn(file: string, pattern: RegExp): number[] {
  return (read(file)?.match(pattern) ?? []).map(Number);
}

function numberAfter(name: string, text: string | undefined): number | undefined {
  const found = text === undefined ? null : new RegExp(`^${name} (\\d+)$`, "m").exec(text);
  return found === null ? undefined : Number(found[1]);
}

/** Where the kernel counts how often this process's CPU quota was used up, by either version of its groups; undefined where there is none. */
function quotaFile(): string | undefined {
  const paths = (read("/proc/self/cgroup") ?? "").split("\n").flatMap((line) => {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === "") return [`/sys/fs/cgroup${path}/cpu.stat`, "/sys/fs/cgroup/cpu.stat"];
    if (!controllers.split(",").includes("cpu")) return [];
    return [
      `/sys/fs/cgroup/${controllers}${path}/cpu.stat`,
      `/sys/fs/cgroup/cpu${path}/cpu.stat`,
      "/sys/fs/cgroup/cpu/cpu.stat",
    ];
  });
  return paths.find(
    (path) =>
      (numberAfter("nr_periods", read(path)) ?? 0) >= 0 && read(path)?.includes("nr_throttled") === true,
  );
}
