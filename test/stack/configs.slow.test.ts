import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { inRepository } from "../../scripts/stack/repository.js";
import { Prometheus } from "../live/prometheus.js";
import { itWith } from "../live/servers.js";
import { compose } from "./compose.js";

itWith("promtool")("promtool has nothing against Prometheus's configuration", async ({ paths }) => {
  const said = execFileSync(paths.promtool, [
    "check",
    "config",
    inRepository("grafana/prometheus/prometheus.yml"),
  ]);
  expect(`${said}`).toContain("SUCCESS");
});

itWith("prometheus")(
  "Prometheus knows the features that Compose turns on, and takes what is written to it",
  async ({ paths, lifetime }) => {
    const features = compose.services.prometheus!.command!.filter((argument) => argument.includes("enable"));
    const prometheus = await Prometheus.start(
      lifetime,
      paths.prometheus,
      (folder) => {
        const file = join(folder, "prometheus.yml");
        writeFileSync(file, "{}");
        return file;
      },
      features,
    );
    // Turned off, it is 404; what isn't compressed can't be read.
    const headers = { "content-type": "application/x-protobuf", "content-encoding": "snappy" };
    const to = `http://${prometheus.address}/api/v1/write`;
    const { status } = await fetch(to, { method: "POST", headers, body: "no" });
    expect(status).toBe(400);
    // Of a feature that it doesn't know, Prometheus only says so.
    expect(prometheus.output).not.toMatch(/unknown option/i);
    expect(prometheus.output).toMatch(/exemplar storage enabled/i);
  },
);

itWith("amtool")("amtool has nothing against Alertmanager's configuration", async ({ paths }) => {
  const said = execFileSync(paths.amtool, [
    "check-config",
    inRepository("grafana/alertmanager/alertmanager.yml"),
  ]);
  expect(`${said}`).toContain("SUCCESS");
});
