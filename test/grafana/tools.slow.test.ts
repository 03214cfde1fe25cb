import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { temporaryFolder } from "../live/server.js";
import { itWith } from "../live/servers.js";
import { committed, NAMES, queriesOf } from "./dashboards.js";
import { filledIn } from "./promql.js";

/** What Prometheus's and Alertmanager's own tools say of queries and routes. */
const run = promisify(execFile);
const ALERTMANAGER = "grafana/alertmanager/alertmanager.yml";
const QUERIES = NAMES.flatMap((name) => queriesOf(committed(name)));

itWith("promtool")("promtool takes every query, as a recording rule", async ({ paths, lifetime }) => {
  const rules = QUERIES.map(({ expr }, i) => ({ record: `query:${i}`, expr: filledIn(expr) }));
  const file = join(temporaryFolder(lifetime), "queries.json");
  // JSON is YAML, too.
  writeFileSync(file, JSON.stringify({ groups: [{ name: "queries", rules }] }));
  const { stdout } = await run(paths.promtool, ["check", "rules", "--lint=none", file]);
  expect(stdout).toContain(`${rules.length} rules found`);
});

itWith("amtool")("amtool takes the file", async ({ paths }) => {
  await run(paths.amtool, ["check-config", ALERTMANAGER]);
});

itWith("amtool")("a critical alert goes to the pager, any other to the chat", async ({ paths }) => {
  const receiver = async (severity: string) => {
    const args = ["config", "routes", "test", `--config.file=${ALERTMANAGER}`, `severity=${severity}`];
    return (await run(paths.amtool, args)).stdout.trim();
  };
  expect(await receiver("critical")).toBe("pager");
  expect(await receiver("warning")).toBe("chat");
  expect(await receiver("none")).toBe("chat");
});
