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
