/** What a run of a cause gave: the first verdict of the first breach report, and whatever else was told. */
export interface Outcome {
  /** Undefined: no breach was reported. `unknown`: the report named no cause. */
  readonly verdict: string | undefined;
  readonly stalls: number;
  /** The report, as people see it. */
  readonly text: string;
}
