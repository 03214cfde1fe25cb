import { readFileSync } from "node:fs";
import { isMap, isScalar, parse, parseDocument, type YAMLMap } from "yaml";
import { readOptions } from "../../examples/order-service/options.js";
import { inRepository } from "../../scripts/stack/repository.js";

export interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly mem_limit?: string;
  readonly privileged?: boolean;
  readonly network_mode?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { file: string }>>;
}

const text = readFileSync(inRepository("docker-compose.otel.yml"), "utf8");

export const compose = parse(text, { merge: true }) as Compose;
export const services = Object.entries(compose.services);

/** A volume of a service, in its parts. */
export interface Mount {
  readonly service: string;
  /** A path that begins with a dot, or the name of a volume. */
  readonly source: string;
  readonly target: string;
  readonly mode: string | undefined;
}

export const mounts: readonly Mount[] = services.flatMap(([service, { volumes = [] }]) =>
  volumes.map((volume) => {
    const [source = "", target = "", mode] = volume.split(":");
    return { service, source, target, mode };
  }),
);

/** A published port, in its parts. */
export const published = services.flatMap(([service, { ports = [] }]) =>
  ports.map((port) => {
    const [address, outside, inside] = port.split(":");
    return { service, address, outside: Number(outside), inside: Number(inside) };
  }),
);

/** The comment right before the health check's settings, which is where a reason stands for having none. */
export function commentOnHealthCheck(service: string): string {
  const check = parseDocument(text).getIn(["services", service, "healthcheck"], true);
  if (!isMap(check)) return "";
  const first = (check as YAMLMap).items[0]?.key;
  return [check.commentBefore, isScalar(first) ? first.commentBefore : ""].join("");
}

const collector = read("grafana/collector/collector.yml");
const tempo = read("grafana/tempo/tempo.yml");
const demo = readOptions([]);
if (demo === "help") throw new Error("no options are no question for help");

/** The ports on which each one's program listens, by its configuration or, where that says nothing, by default. */
export const listens: Readonly<Record<string, readonly number[]>> = {
  alertmanager: [9093],
  collector: [
    ...endpoints(collector.receivers.otlp.protocols),
    ...collector.service.telemetry.metrics.readers.map(
      (reader: { pull: { exporter: { prometheus: { port: number } } } }) =>
        reader.pull.exporter.prometheus.port,
    ),
  ],
  demo: [demo.port, demo["metrics-port"]],
  grafana: [3000],
  prometheus: [9090],
  tempo: [tempo.server.http_listen_port, ...endpoints(tempo.distributor.receivers.otlp.protocols)],
};

function endpoints(protocols: Record<string, { endpoint: string }>): number[] {
  return Object.values(protocols).map(({ endpoint }) => Number(endpoint.split(":")[1]));
}

// biome-ignore lint/suspicious/noExplicitAny: a foreign configuration
export function read(path: string): any {
  return parse(readFileSync(inRepository(path), "utf8"));
}
