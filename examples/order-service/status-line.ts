import { metricProducer } from "queuescope";
import type { Waits } from "./waits.js";

/** Prints one line a second, from the same numbers that Prometheus gets. Clear the timer to end that. */
export function printStatus(waits: Waits): NodeJS.Timeout {
  let seconds = 0;
  return setInterval(async () => {
    const metrics = await readMetrics();
    const columns = [
      `${++seconds} s`.padStart(5),
      `depth ${String(sum(metrics["queue.depth"])).padStart(4)}`,
      `oldest ${duration(Math.max(0, ...(metrics["queue.oldest.age.seconds"] ?? [])) * 1_000)}`,
      `wait p50/p99  ${wait(waits, "vip")}  ${wait(waits, "regular")}`,
      `in flight ${String(sum(metrics["queue.inflight"])).padStart(2)}`,
      `drops ${String(sum(metrics["queue.dropped"])).padStart(4)}`,
    ];
    console.log(columns.join("  "));
  }, 1_000);
}

/** The values of every gauge and counter, by name; of histograms there are none. */
async function readMetrics(): Promise<Record<string, number[]>> {
  const { resourceMetrics } = await metricProducer().collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  return Object.fromEntries(
    metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.flatMap(({ value }) => (typeof value === "number" ? [value] : [])),
    ]),
  );
}

function wait(waits: Waits, tier: string): string {
  const [p50, p99] = waits.percentiles(tier, 0.5, 0.99);
  return `${tier} ${duration(p50)} /${duration(p99)}`;
}

function duration(ms: number | undefined): string {
  const text = ms === undefined ? "–" : ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
  return text.padStart(6);
}

function sum(values: readonly number[] = []): number {
  return values.reduce((a, b) => a + b, 0);
}
