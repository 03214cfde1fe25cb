import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { freePort, itWith, Server, temporaryFolder } from "./servers.js";

const P99_BY_TIER =
  'histogram_quantile(0.99, sum by (le, queue_tier) (rate(queue_wait_seconds_bucket{queue_name="orders"}[1m])))';

itWith("prometheus")("Prometheus knows how long the demo's orders wait, by tier", async (program) => {
  const demo = await startDemo();
  const prometheus = await startPrometheus(program, demo.metrics);

  const waits = await prometheus.server.until("p99 of both tiers", async () => {
    const found = await query(prometheus.url, P99_BY_TIER);
    return found.vip !== undefined && found.regular !== undefined ? found : undefined;
  });

  expect(Object.keys(waits).sort()).toEqual(["regular", "vip"]);
  for (const seconds of Object.values(waits)) {
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(300);
  }
});

async function startDemo(): Promise<{ server: Server; metrics: URL }> {
  const demo = ["--import", "tsx", "examples/order-service/main.ts", "--port", "0", "--metrics-port", "0"];
  const server = new Server(process.execPath, demo);
  const metrics = await server.until(
    "address of the metrics",
    () => /^Metrics +(\S+)/m.exec(server.output)?.[1],
  );
  return { server, metrics: new URL(metrics) };
}

/** On loopback, with a folder of its own, reading the target every second. */
async function startPrometheus(program: string, target: URL): Promise<{ server: Server; url: string }> {
  const folder = temporaryFolder();
  const config = join(folder, "prometheus.yml");
  const scrape = {
    job_name: "demo",
    metrics_path: target.pathname,
    static_configs: [{ targets: [target.host] }],
  };
  // JSON is YAML, too.
  writeFileSync(config, JSON.stringify({ global: { scrape_interval: "1s" }, scrape_configs: [scrape] }));
  const address = `127.0.0.1:${await freePort()}`;
  const server = new Server(program, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=${address}`,
  ]);
  const url = `http://${address}`;
  await server.until("Prometheus that is ready", async () =>
    (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true ? true : undefined,
  );
  return { server, url };
}

/** What an instant query finds, by tier; values that are no finite numbers are left out. */
async function query(url: string, promql: string): Promise<Record<string, number>> {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: promql })}`);
  const { status, data } = (await response.json()) as {
    status: string;
    data: { result: { metric: { queue_tier: string }; value: [number, string] }[] };
  };
  expect(status).toBe("success");
  const values = data.result.map(({ metric, value }) => [metric.queue_tier, Number(value[1])] as const);
  return Object.fromEntries(values.filter(([, value]) => Number.isFinite(value)));
}
