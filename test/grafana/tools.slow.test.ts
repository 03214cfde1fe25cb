import { execFile } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect } from "vitest";
import { itWith, temporaryFolder } from "../live/servers.js";
import { committed, NAMES, queriesOf } from "./dashboards.js";
import { filledIn } from "./promql.js";
import { RULES, ruleFiles } from "./rules.js";

/** What Prometheus's and Alertmanager's own tools say of rules, queries and routes. */
const run = promisify(execFile);
const TESTS = `${RULES}/test`;
const testFiles = readdirSync(TESTS).filter((name) => name.endsWith(".test.yml"));
const ALERTMANAGER = "grafana/alertmanager/alertmanager.yml";
const QUERIES = NAMES.flatMap((name) => queriesOf(committed(name)));

itWith("promtool")("promtool finds nothing to complain of", async ({ paths }) => {
  const files = [...ruleFiles.keys()].map((name) => `${RULES}/${name}`);
  await run(paths.promtool, ["check", "rules", "--lint=all", "--lint-fatal", ...files]);
});

describe("the rules do what their tests say:", () => {
  for (const file of testFiles) {
    itWith("promtool")(file, async ({ paths }) => {
      await run(paths.promtool, ["test", "rules", `${TESTS}/${file}`]);
    });
  }
});

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
