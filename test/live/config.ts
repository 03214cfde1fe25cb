import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Addresses,
  type AlertmanagerConfig,
  type PrometheusConfig,
  relocateAlertmanager,
  relocatePrometheus,
} from "../../scripts/stack/relocate.js";
import { readYaml } from "../../scripts/stack/repository.js";
import { milliseconds } from "./faster.js";
import { PACE } from "./pace.js";

const PROMETHEUS = "grafana/prometheus/prometheus.yml";

/** Writes `prometheus.yml` and the rules to the folder, at the pace of the run and with other addresses; returns the path of the first. */
export function writePrometheus(folder: string, addresses: Addresses): string {
  const rules = join(folder, "rules");
  mkdirSync(rules);
  for (const file of readdirSync("grafana/rules").filter((name) => name.endsWith(".yml"))) {
    write(join(rules, file), PACE.rules(readYaml(`grafana/rules/${file}`), scrapeMs()));
  }
  const config = relocatePrometheus(readYaml<PrometheusConfig>(PROMETHEUS), { addresses, rules });
  return write(join(folder, "prometheus.yml"), PACE.prometheus({ ...config }));
}

/** Writes `alertmanager.yml` to the folder, at the pace of the run, and such that everything is told at the URL; returns its path. */
export function writeAlertmanager(folder: string, url: string): string {
  const config = relocateAlertmanager(
    readYaml<AlertmanagerConfig>("grafana/alertmanager/alertmanager.yml"),
    url,
  );
  return write(join(folder, "alertmanager.yml"), PACE.alertmanager({ ...config }));
}

/** How often the demo is read. */
export function scrapeMs(): number {
  const { global } = PACE.prometheus(readYaml(PROMETHEUS)) as { global: { scrape_interval: string } };
  return milliseconds(global.scrape_interval);
}

/** JSON is YAML, too. */
function write(file: string, content: unknown): string {
  writeFileSync(file, JSON.stringify(content, null, 2));
  return file;
}
