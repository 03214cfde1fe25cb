import { parseArgs } from "node:util";
import type { Wish } from "./ports.js";

/** Every port: where it is unless something else is there already, and who listens. */
const PORTS = {
  port: [8080, "the demo takes orders and faults"],
  "metrics-port": [9464, "the demo's metrics"],
  "prometheus-port": [9090, "Prometheus"],
  "alertmanager-port": [9093, "Alertmanager"],
  "grafana-port": [3000, "Grafana, if it is installed"],
} as const;

export type PortName = keyof typeof PORTS;

export interface Options {
  readonly ports: Readonly<Record<PortName, Wish>>;
  /** When to stop without a signal. */
  readonly seconds: number | undefined;
}

/** Throws an error with a message for the one at the keyboard. */
export function readOptions(args: string[]): Options | "help" {
  const names = Object.keys(PORTS) as PortName[];
  const { values }: { values: Record<string, unknown> } = parseArgs({
    args,
    options: {
      ...Object.fromEntries([...names, "seconds"].map((name) => [name, { type: "string" } as const])),
      help: { type: "boolean" },
    },
  });
  if (values.help) return "help";
  const wishes = names.map((name): [PortName, Wish] => {
    const given = values[name];
    return [
      name,
      {
        port: given === undefined ? PORTS[name][0] : wholeNumber(name, given, 0, 65_535),
        exact: given !== undefined,
      },
    ];
  });
  return {
    ports: Object.fromEntries(wishes) as Record<PortName, Wish>,
    seconds: values.seconds === undefined ? undefined : wholeNumber("seconds", values.seconds, 1, 1e6),
  };
}

function wholeNumber(name: string, given: unknown, least: number, most: number): number {
  const number = Number(given);
  if (given !== "" && Number.isInteger(number) && number >= least && number <= most) return number;
  throw new RangeError(`--${name} must be a whole number from ${least} to ${most}, not "${given}"`);
}

export const USAGE = [
  "Usage: npm run stack -- [options]",
  ...Object.entries(PORTS).map(([name, [usual, who]]) => `  --${`${name} N`.padEnd(20)} ${who} (${usual})`),
  `  --${"seconds N".padEnd(20)} stop after so many seconds, without a signal`,
  "Ports are on 127.0.0.1. One that is taken is replaced by a free one, unless you asked for it; 0 is any free one.",
].join("\n");
