import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { Demo } from "./demo.js";
import { Prometheus } from "./prometheus.js";
import { itWith } from "./servers.js";

const P99_BY_TIER =
  'histogram_quantile(0.99, sum by (le, queue_tier) (rate(queue_wait_seconds_bucket{queue_name="orders"}[1m])))';

itWith("prometheus")(
  "Prometheus knows how long the demo's orders wait, by tier",
  async ({ paths, lifetime }) => {
    const demo = await Demo.start(lifetime);
    const prometheus = await Prometheus.start(lifetime, paths.prometheus, (folder) =>
      everySecond(folder, demo.metrics),
    );

    const waits = await prometheus.until("p99 of both tiers", async () => {
      const found = await prometheus.query(P99_BY_TIER);
      return found.length === 2 ? found : undefined;
    });

    expect(waits.map(({ labels }) => labels.queue_tier).sort()).toEqual(["regular", "vip"]);
    for (const { value } of waits) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThanOrEqual(300);
    }
  },
);

/** Writes a configuration that reads the target every second. */
function everySecond(folder: string, target: URL): string {
  const file = join(folder, "prometheus.yml");
  const scrape = {
    job_name: "demo",
    metrics_path: target.pathname,
    static_configs: [{ targets: [target.host] }],
  };
  // JSON is YAML, too.
  writeFileSync(file, JSON.stringify({ global: { scrape_interval: "1s" }, scrape_configs: [scrape] }));
  return file;
}
