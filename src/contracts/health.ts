/** Whether something is fit for more work, for a readiness endpoint. */
export interface Health {
  readonly ok: boolean;
  /** Why it isn't, in words with numbers; empty where it is. */
  readonly reasons: readonly string[];
}

/** From when on a queue counts as ill. Only `undefined` stands for the default. */
export interface QueueHealthOptions {
  /** Most items that may wait, from 0; `Infinity`: any number. Default: nine tenths of the capacity, rounded down, and at least 1. */
  maxDepth?: number | undefined;
  /**
   * How long items may wait without any being taken, in milliseconds, greater than 0; `Infinity`: for ever. Default: 30 000.
   */
  noProgressMs?: number | undefined;
}
