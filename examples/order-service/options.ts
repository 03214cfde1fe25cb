import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

/** Every number: its default, the least and the most it may be, and what it means. */
const SETTINGS = {
  port: [8080, 0, 65_535, "where orders are taken; 0 is any free port"],
  "metrics-port": [9464, 0, 65_535, "where Prometheus may scrape; 0 is any free port"],
  "view-port": [9465, 0, 65_535, "where the live view is, or any free port if that is taken"],
  capacity: [200, 1, 1e6, "most orders that may wait"],
  consumers: [4, 1, 1_000, "orders that are shipped at the same time"],
  "ship-ms": [80, 1, 1e6, "milliseconds that it takes to ship an order, on average"],
  "drain-seconds": [20, 0, 1e6, "longest time to finish what was accepted, once told to stop"],
  seconds: [Number.POSITIVE_INFINITY, 1, 1e6, "stop after so many seconds, without a signal"],
} as const satisfies Record<string, readonly [number, number, number, string]>;

type Setting = keyof typeof SETTINGS;

/** Every text: its default, and what it means. */
const TEXTS = {
  host: ["127.0.0.1", "the address of both ports"],
  "report-dir": [join(tmpdir(), `order-service-${process.pid}`), "where reports on late orders go"],
} as const satisfies Record<string, readonly [string, string]>;

type Text = keyof typeof TEXTS;

export type Options = Record<Setting, number> & Record<Text, string> & { load: boolean };

/** Throws an error with a message for the one at the keyboard. */
export function readOptions(args: string[]): Options | "help" {
  const names = Object.keys(SETTINGS) as Setting[];
  const texts = Object.keys(TEXTS) as Text[];
  const { values }: { values: Record<string, unknown> } = parseArgs({
    args,
    options: {
      ...Object.fromEntries([...names, ...texts].map((name) => [name, { type: "string" } as const])),
      "no-load": { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return "help";
  const numbers = Object.fromEntries(names.map((name) => [name, readNumber(name, values[name])]));
  const words = Object.fromEntries(texts.map((name) => [name, readText(name, values[name])]));
  return {
    ...(numbers as Record<Setting, number>),
    ...(words as Record<Text, string>),
    load: !values["no-load"],
  };
}

function readText(name: Text, given: unknown): string {
  if (given === "") throw new RangeError(`--${name} must not be empty`);
  return given === undefined ? TEXTS[name][0] : `${given}`;
}

function readNumber(name: Setting, given: unknown): number {
  const [usual, least, most] = SETTINGS[name];
  if (given === undefined) return usual;
  const number = Number(given);
  if (given !== "" && Number.isInteger(number) && number >= least && number <= most) return number;
  throw new RangeError(`--${name} must be a whole number from ${least} to ${most}, not "${given}"`);
}

export const USAGE = [
  "Usage: npm run demo -- [options]",
  ...Object.entries(SETTINGS).map(
    ([name, [usual, , , meaning]]) =>
      `  --${`${name} N`.padEnd(16)} ${meaning}${Number.isFinite(usual) ? ` (${usual})` : ""}`,
  ),
  ...Object.entries(TEXTS).map(
    ([name, [usual, meaning]]) => `  --${`${name} TEXT`.padEnd(16)} ${meaning} (${usual})`,
  ),
  `  --${"no-load".padEnd(16)} only serve; you are the load`,
].join("\n");
