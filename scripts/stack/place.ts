import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Addresses } from "./relocate.js";

/** Who listens. The demo does so twice. */
export type Listener = "demo" | "metrics" | "prometheus" | "alertmanager" | "grafana";

/** Where everything is, this time. */
export class Place {
  constructor(
    /** For configuration, data and logs. */
    readonly folder: string,
    private readonly ports: Readonly<Record<Listener, number>>,
  ) {}

  port(listener: Listener): number {
    return this.ports[listener];
  }

  address(listener: Listener): string {
    return `127.0.0.1:${this.ports[listener]}`;
  }

  url(listener: Listener, path = ""): string {
    return `http://${this.address(listener)}${path}`;
  }

  /** Instead of those in docker-compose.otel.yml. */
  get addresses(): Addresses {
    return {
      "demo:9464": this.address("metrics"),
      "prometheus:9090": this.address("prometheus"),
      "alertmanager:9093": this.address("alertmanager"),
    };
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a configuration, and returns its path. */
  write(name: string, config: object): string {
    // JSON is YAML, too.
    writeFileSync(this.path(name), JSON.stringify(config, undefined, 2));
    return this.path(name);
  }
}
