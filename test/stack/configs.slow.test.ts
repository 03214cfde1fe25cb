import { execFileSync } from "node:child_process";
import { expect } from "vitest";
import { inRepository } from "../../scripts/stack/repository.js";
import { itWith } from "../live/servers.js";

itWith("promtool")("promtool has nothing against Prometheus's configuration", async ({ paths }) => {
  const said = execFileSync(paths.promtool, [
    "check",
    "config",
    inRepository("grafana/prometheus/prometheus.yml"),
  ]);
  expect(`${said}`).toContain("SUCCESS");
});

itWith("amtool")("amtool has nothing against Alertmanager's configuration", async ({ paths }) => {
  const said = execFileSync(paths.amtool, [
    "check-config",
    inRepository("grafana/alertmanager/alertmanager.yml"),
  ]);
  expect(`${said}`).toContain("SUCCESS");
});
