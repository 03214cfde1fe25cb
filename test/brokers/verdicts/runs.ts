import { it } from "vitest";

/** How often each fault is staged, and how often work is healthy: `VERDICT_RUNS=5 npm run test:brokers -- test/brokers/verdicts`. */
const RUNS = Number(process.env.VERDICT_RUNS ?? 1);

/** A test, so many times. */
export function onEachRun(name: string, test: () => Promise<void>): void {
  for (let run = 1; run <= RUNS; run++) it(RUNS === 1 ? name : `${name} (run ${run})`, test);
}
