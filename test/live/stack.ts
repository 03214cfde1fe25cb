import { alertmanagerArguments } from "../../scripts/stack/arguments.js";
import { freePort } from "../../scripts/stack/ports.js";
import { writeAlertmanager, writePrometheus } from "./config.js";
import { Demo } from "./demo.js";
import { PACE } from "./pace.js";
import { isReady, Prometheus } from "./prometheus.js";
import { Receiver } from "./receiver.js";
import { type Lifetime, Server, temporaryFolder } from "./server.js";
import type { LiveTest } from "./servers.js";

export const PROGRAMS = ["prometheus", "prometheus-alertmanager"] as const;
type Live = LiveTest<(typeof PROGRAMS)[number]>;
export type Paths = Live["paths"];

/** The demo, watched by Prometheus with the committed rules; what Alertmanager tells goes to the receiver. */
export interface Stack {
  readonly demo: Demo;
  readonly prometheus: Prometheus;
  readonly receiver: Receiver;
}

export async function startStack(
  { paths, lifetime }: Live,
  demoArgs: readonly string[] = [],
): Promise<Stack> {
  const receiver = await Receiver.start(lifetime);
  const [demo, alertmanager] = await Promise.all([
    Demo.start(lifetime, demoArgs),
    startAlertmanager(lifetime, paths["prometheus-alertmanager"], receiver.url),
  ]);
  const prometheus = await Prometheus.start(
    lifetime,
    paths.prometheus,
    (folder, address) =>
      writePrometheus(folder, {
        "demo:9464": demo.metrics.host,
        "prometheus:9090": address,
        "alertmanager:9093": alertmanager,
      }),
    PACE.args,
  );
  return { demo, prometheus, receiver };
}

/** Returns where it listens. */
async function startAlertmanager(lifetime: Lifetime, program: string, webhooks: string): Promise<string> {
  const folder = temporaryFolder(lifetime);
  const address = `127.0.0.1:${await freePort()}`;
  const config = writeAlertmanager(folder, webhooks);
  const server = new Server(
    lifetime,
    program,
    alertmanagerArguments({ config, data: `${folder}/data`, address }),
  );
  await server.until("Alertmanager that is ready", () => isReady(address));
  return address;
}
