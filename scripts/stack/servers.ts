import { alertmanagerArguments, prometheusArguments } from "./arguments.js";
import type { Command } from "./child.js";
import type { Place } from "./place.js";
import {
  type AlertmanagerConfig,
  type PrometheusConfig,
  relocateAlertmanager,
  relocatePrometheus,
} from "./relocate.js";
import { inRepository, readYaml } from "./repository.js";

/** How to start a server, and the URL that answers once it is ready, if one does. */
export interface Server {
  readonly command: Omit<Command, "log">;
  readonly readyAt?: string;
}

export function demo(place: Place): Server {
  return {
    command: {
      name: "demo",
      program: process.execPath,
      args: ["--import", "tsx", "examples/order-service/main.ts", ...demoArguments(place)],
      cwd: inRepository("."),
    },
    readyAt: place.url("metrics", "/metrics"),
  };
}

/** What to type to bring the demo back to where Prometheus and its customers look for it. */
export function demoByHand(place: Place): string {
  const words = demoArguments(place).map((word) => (/\s/.test(word) ? `"${word}"` : word));
  return `npm run demo -- ${words.join(" ")}`;
}

/** Without load of its own: it has customers. */
function demoArguments(place: Place): string[] {
  const ports = ["--port", `${place.port("demo")}`, "--metrics-port", `${place.port("metrics")}`];
  return ["--no-load", ...ports, "--report-dir", place.path("reports")];
}

export function customers(place: Place): Server {
  return {
    command: {
      name: "customers",
      program: process.execPath,
      args: ["--import", "tsx", "scripts/stack/customers.ts", place.url("demo", "/order")],
      cwd: inRepository("."),
    },
  };
}

/** Tells the URL whatever it would have told others. */
export function alertmanager(program: string, place: Place, told: string): Server {
  const committed = readYaml<AlertmanagerConfig>("grafana/alertmanager/alertmanager.yml");
  const config = place.write("alertmanager.yml", relocateAlertmanager(committed, told));
  return {
    command: {
      name: "alertmanager",
      program,
      args: [
        ...alertmanagerArguments({
          config,
          data: place.path("alertmanager"),
          address: place.address("alertmanager"),
        }),
        `--web.external-url=${place.url("alertmanager")}`,
      ],
    },
    readyAt: place.url("alertmanager", "/-/ready"),
  };
}

export function prometheus(program: string, place: Place): Server {
  const committed = readYaml<PrometheusConfig>("grafana/prometheus/prometheus.yml");
  const { addresses } = place;
  const rules = inRepository("grafana/rules");
  const grafanaUrl = place.url("grafana");
  const config = place.write(
    "prometheus.yml",
    relocatePrometheus(committed, { addresses, rules, grafanaUrl }),
  );
  return {
    command: {
      name: "prometheus",
      program,
      args: [
        ...prometheusArguments({
          config,
          data: place.path("prometheus"),
          address: place.address("prometheus"),
        }),
        `--web.external-url=${place.url("prometheus")}`,
      ],
    },
    readyAt: place.url("prometheus", "/-/ready"),
  };
}
