/** One line of the results: ours against one peer, or against a limit. */
export interface Row {
  readonly case: string;
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  /** Above 1 we are better: theirs / ours, or limit / ours. */
  readonly ratio: number;
  /** What the ratio has to reach; null where the row is there to be looked at. */
  readonly goal: number | null;
  /** Interquartile range of the ratio over the rounds, relative to the ratio. */
  readonly spread: number;
  readonly unit: "ns" | "ms" | "bytes" | "%" | "spans";
  /** The same code against itself: shows the noise, and stays out of the JSON. */
  readonly isNoise: boolean;
}

/** A row as `--json` prints it. */
export interface MachineRow {
  readonly group: string;
  /** What is compared, and with which peer. */
  readonly row: string;
  /** Such as `v24.1.0`. */
  readonly node: string;
  /** A ratio: more is better. Anything with another unit: less is. */
  readonly measured: number;
  readonly unit: "ratio" | Row["unit"];
  readonly goal: number | null;
  /** Null where there is no goal. */
  readonly met: boolean | null;
  readonly spread: number;
}

/** What a scenario found out: rows, or why there are none. */
export interface Findings {
  readonly rows: readonly Row[];
  readonly skipped?: string;
}

/** How much time a run takes for each scenario. */
export interface Pace {
  readonly quick: boolean;
  /** CPU milliseconds that one measured batch takes, unless a single cycle takes longer. */
  readonly batchMs: number;
  /** CPU milliseconds that each contestant runs before anything counts. */
  readonly warmUpMs: number;
  readonly fewestRounds: number;
  readonly mostRounds: number;
  /** Milliseconds after which no further round begins, once there are enough. */
  readonly budgetMs: number;
}

export const FULL: Pace = {
  quick: false,
  batchMs: 25,
  warmUpMs: 400,
  fewestRounds: 5,
  mostRounds: 25,
  budgetMs: 5_000,
};
export const QUICK: Pace = {
  quick: true,
  batchMs: 5,
  warmUpMs: 30,
  fewestRounds: 3,
  mostRounds: 3,
  budgetMs: 100,
};

/** A few contestants under the same load. Runs in a process of its own. */
export interface Scenario {
  readonly name: string;
  /** Takes too long for a quick run. */
  readonly isSlow?: boolean;
  run(pace: Pace): Findings | Promise<Findings>;
}
