/** How many heads can be watched at a time. */
export const MAX_HEADS = 1024;

/** Indexes into the memory that main shares with the thread. Numbers are 64 bits wide: a processor writes each at once. */
export const LAYOUT = {
  /** When the event loop last turned, in milliseconds of the clock that all threads share. */
  beat: 0,
  /** 1 while a debugger may hold the program. */
  debugged: 1,
  /** The first head; each has when it came in (NaN: none), its SLA in milliseconds, and when that was written. */
  heads: 3,
  /** The 32-bit word that becomes 1 when the thread has let go of main. */
  over: 4,
} as const;

export type Layout = typeof LAYOUT;

export const BYTES = (LAYOUT.heads + 3 * MAX_HEADS) * 8;

/** Milliseconds of the clock that all threads share; `performance.now()` counts from each thread's own start. */
export function hrNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Shows the thread, for one tier of one queue, since when its head has waited. */
export class SharedHead {
  private readonly at: number;
  private isFree = false;

  /** @internal */
  constructor(
    private readonly memory: Float64Array,
    /** Undefined when all are taken: then it shows nothing. @internal */
    readonly index: number | undefined,
    private readonly freed: () => void,
  ) {
    this.at = LAYOUT.heads + 3 * (index ?? 0);
    this.clear();
  }

  /** The head has waited for `ageMs`, and may wait for `slaMs`. Undefined: there is none to watch. */
  publish(ageMs: number | undefined, slaMs: number): void {
    if (this.index === undefined || this.isFree) return;
    if (ageMs === undefined) {
      this.clear();
      return;
    }
    const now = hrNow();
    this.memory[this.at] = now - ageMs;
    this.memory[this.at + 1] = slaMs;
    this.memory[this.at + 2] = now;
  }

  /** Ends the watch of this head. Can be called again. */
  release(): void {
    if (this.isFree) return;
    this.clear();
    this.isFree = true;
    this.freed();
  }

  private clear(): void {
    if (this.index !== undefined) this.memory[this.at] = Number.NaN;
  }
}
