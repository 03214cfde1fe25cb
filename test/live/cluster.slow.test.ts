import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { freePort } from "../../scripts/stack/ports.js";
import { Prometheus } from "./prometheus.js";
import { type Lifetime, temporaryFolder } from "./server.js";
import { itWith } from "./servers.js";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const APP = fileURLToPath(new URL("cluster-app.mjs", import.meta.url));

/** What the four workers put at most, in items a second. */
const MAX_PER_SECOND = 200;
/** By how much a rate may be beyond that: scrapes are not to the millisecond, and rates are extrapolated. */
const TOLERANCE = 1.6;
/** So many items take three seconds at least: after three kills there are rates enough. */
const ITEMS_AFTER_A_KILL = 3 * MAX_PER_SECOND;

function started(lifetime: Lifetime, folder: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, QUEUESCOPE_DIR: join(folder, "s"), QUEUESCOPE_INSPECT: "1" },
  });
  lifetime(() => child.kill("SIGKILL"));
  return child;
}

itWith("prometheus")(
  "one endpoint for a cluster: no counter falls and no rate has a spike when workers are killed and the command is started anew",
  async ({ paths, lifetime }) => {
    const folder = temporaryFolder(lifetime);
    const app = started(lifetime, folder, [APP]);
    const isReady = () => once(app.stdout!, "data");
    await isReady();
    const port = await freePort();
    const serve = () => started(lifetime, folder, [CLI, "metrics", "--port", `${port}`, "--every", "0.5"]);
    let metrics = serve();
    const prometheus = await Prometheus.start(lifetime, paths.prometheus, (place) => {
      const config = join(place, "prometheus.yml");
      const job = { job_name: "cluster", static_configs: [{ targets: [`127.0.0.1:${port}`] }] };
      writeFileSync(config, JSON.stringify({ global: { scrape_interval: "1s" }, scrape_configs: [job] }));
      return config;
    });
    const figureOf = async (promql: string) => (await prometheus.query(promql))[0]?.value;
    const until = (what: string, promql: string, isIt: (value: number) => boolean) =>
      prometheus.until(what, async () => {
        const value = await figureOf(promql);
        return value !== undefined && isIt(value) ? value : undefined;
      });
    // So much was counted that a fall, which rate() takes for a start from 0, would show.
    await until("a thousand items", "sum(queue_enqueued_total)", (value) => value > 1_000);
    await until("four workers' gauges", 'sum(queue_workers{queue_state="idle"})', (value) => value >= 7);
    const since = await figureOf("vector(time())");
    for (let kills = 0; kills < 3; kills++) {
      app.stdin!.write("kill\n");
      await isReady();
      const before = await until("a figure", "sum(queue_enqueued_total)", () => true);
      await until("more items", "sum(queue_enqueued_total)", (value) => value > before + ITEMS_AFTER_A_KILL);
      if (kills === 1) {
        // Without a chance to say goodbye; what it had written down is some seconds old.
        metrics.kill("SIGKILL");
        await once(metrics, "exit");
        metrics = serve();
      }
    }
    const to = (await figureOf("vector(time())"))!;
    const seconds = Math.ceil(to - since!) + 5;
    expect(await figureOf(`sum(resets(queue_enqueued_total[${seconds}s]))`)).toBe(0);
    expect(await figureOf(`sum(resets(queue_put_seconds_count[${seconds}s]))`)).toBe(0);
    const rates = (
      await prometheus.range("sum(rate(queue_enqueued_total[5s]))", { from: since!, to, stepSeconds: 1 })
    ).flat();
    expect(rates.length).toBeGreaterThan(5);
    expect(Math.max(...rates.filter(Number.isFinite))).toBeLessThan(TOLERANCE * MAX_PER_SECOND);
    // What was counted before the first kill is still there.
    expect(await figureOf("sum(queue_completed_total)")).toBeGreaterThan(1_900);
    metrics.kill("SIGTERM");
    expect(await once(metrics, "exit")).toEqual([0, null]);
    app.stdin!.end();
  },
);
