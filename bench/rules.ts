/**
 * How long do the rules take? Fills a Prometheus with hours of many processes, loads the committed rules, and prints the seconds that an evaluation of each
 * group takes, and of the interval which share that is. Needs Debian's `prometheus`.
 *
 *     npm run bench:rules
 *     npm run bench:rules -- --replicas 20 --queues 20 --tiers 2 --hours 6 --scrape 60      the same
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    replicas: { type: "string", default: "20" },
    queues: { type: "string", default: "20" },
    tiers: { type: "string", default: "2" },
    hours: { type: "string", default: "6" },
    scrape: { type: "string", default: "60" },
  },
});
const [replicas, queues, tiers, hours, scrapeS] = Object.values(values).map(Number) as [
  number,
  number,
  number,
  number,
  number,
];

/** By metric, what tells its series of one queue in one process apart: counters go up by one each second, gauges are 1. */
const TIERS = Array.from({ length: tiers }, (_, i) => `queue_tier="tier-${i}"`);
const each = (labels: readonly string[], more: readonly string[]) =>
  labels.flatMap((label) => more.map((other) => `${label},${other}`));
const OUTCOMES = ['queue_outcome="success"', 'queue_outcome="failure"'];
const COUNTERS: Readonly<Record<string, readonly string[]>> = {
  queue_sla_items: each(TIERS, ['queue_result="met"', 'queue_result="missed"']),
  queue_enqueued: TIERS,
  queue_dequeued: TIERS,
  queue_dropped: each(TIERS, ['queue_reason="expired"', 'queue_reason="evicted"']),
  queue_completed: OUTCOMES,
  queue_process_seconds_sum: OUTCOMES,
  queue_process_seconds_count: OUTCOMES,
  queue_retried: [""],
  queue_dead_lettered: [""],
};
const GAUGES: Readonly<Record<string, readonly string[]>> = {
  queue_depth: TIERS,
  queue_oldest_age_seconds: TIERS,
  queue_sla_target_seconds: TIERS,
  queue_sla_objective_ratio: TIERS,
  queue_workers: ["idle", "processing", "backoff", "stalled", "stopped"].map(
    (each) => `queue_state="${each}"`,
  ),
  queue_inflight: [""],
  queue_inflight_oldest_age_seconds: [""],
  queue_delayed: [""],
  queue_capacity: [""],
};

const folder = mkdtempSync(join(tmpdir(), "bench-rules-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
await fill();
const groups = await evaluate();
console.log(
  `${replicas} replicas x ${queues} queues x ${tiers} tiers, ${hours} h, scraped every ${scrapeS} s`,
);
for (const { name, interval, evaluationTime } of groups) {
  const share = ((100 * evaluationTime) / interval).toFixed(1);
  console.log(`${name.padEnd(28)} ${evaluationTime.toFixed(3).padStart(7)} s, ${share} % of ${interval} s`);
}

/** As blocks on disk, from hours ago until in some minutes: the rules are evaluated then. */
async function fill(): Promise<void> {
  const text = join(folder, "metrics.txt");
  const out = createWriteStream(text);
  const end = Math.floor(Date.now() / 1_000) + 600;
  const write = async (
    metric: string,
    suffix: string,
    labels: readonly string[],
    from: number,
    rate: number,
  ) => {
    out.write(`# TYPE ${metric} ${suffix === "" ? "gauge" : "counter"}\n`);
    for (let replica = 0; replica < replicas; replica += 1) {
      for (let queue = 0; queue < queues; queue += 1) {
        for (const more of labels) {
          const all = [`job="shop",instance="pod-${replica}",queue_name="queue-${queue}"`, more].filter(
            Boolean,
          );
          let lines = "";
          for (let t = from; t <= end; t += scrapeS)
            lines += `${metric}${suffix}{${all.join(",")}} ${rate * (t - from) + 1} ${t}\n`;
          if (!out.write(lines)) await once(out, "drain");
        }
      }
    }
  };
  for (const [metric, labels] of Object.entries(COUNTERS)) {
    const isOfHistogram = /_(?:sum|count)$/.test(metric);
    // Without a type that would ask for all of the histogram.
    await write(metric, isOfHistogram ? "" : "_total", labels, end - 600 - hours * 3_600, 1);
  }
  for (const [metric, labels] of Object.entries(GAUGES)) await write(metric, "", labels, end - 1_800, 0);
  out.end("# EOF\n");
  await once(out, "close");
  execFileSync("promtool", ["tsdb", "create-blocks-from", "openmetrics", text, join(folder, "data")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  rmSync(text);
}

interface Group {
  readonly name: string;
  /** Both in seconds. */
  readonly interval: number;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
}

async function evaluate(): Promise<Group[]> {
  const port = await freePort();
  const config = join(folder, "prometheus.yml");
  writeFileSync(
    config,
    JSON.stringify({
      global: { evaluation_interval: "15s" },
      rule_files: [resolve("grafana/rules/*.rules.yml")],
    }),
  );
  const prometheus = spawn(
    "prometheus",
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: "ignore" },
  );
  process.once("exit", () => prometheus.kill("SIGKILL"));
  for (;;) {
    await sleep(1_000);
    if (prometheus.exitCode !== null) throw new Error(`prometheus has ended with ${prometheus.exitCode}`);
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/rules`).catch(() => undefined);
    if (response?.ok !== true) continue;
    const { data } = (await response.json()) as { data: { groups: Group[] } };
    // What has not been evaluated has the year 1.
    if (
      data.groups.length > 0 &&
      data.groups.every(({ lastEvaluation }) => !lastEvaluation.startsWith("0001"))
    ) {
      prometheus.kill("SIGTERM");
      await once(prometheus, "exit");
      return data.groups;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
