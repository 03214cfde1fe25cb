/** Why a queue is late, as a watchdog found out. */
export interface Report {
  /** The causes, the most likely one first. */
  readonly verdicts: readonly {
    readonly name: string;
    readonly confidence: number;
    readonly sentence: string;
  }[];
  toJSON(): object;
  toString(): string;
}

/** The key under which a watchdog leaves a queue a way to ask for a {@link Report}; it must not throw. */
export const REPORT: unique symbol = Symbol.for("queuescope.report") as never;

/** A queue that may be watched. */
export interface Reportable {
  [REPORT]?: (() => Report | undefined) | undefined;
}
