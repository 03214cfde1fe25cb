import { createTheme, dateTime, type TimeRange } from "@grafana/data";

/** What the page's address says: `?d=overview&range=3600&to=1700000000&w=1500&theme=dark&var-queue=orders`. */
const address = new URLSearchParams(location.search);

export const DASHBOARD = address.get("d") ?? "overview";
export const WIDTH = Number(address.get("w") ?? 1500);
export const THEME = createTheme({ colors: { mode: address.get("theme") === "light" ? "light" : "dark" } });

/** In seconds. */
export const RANGE = Number(address.get("range") ?? 3600);
export const TO = Number(address.get("to") ?? Math.floor(Date.now() / 1000));
export const FROM = TO - RANGE;
const times = { from: dateTime(FROM * 1000), to: dateTime(TO * 1000) };
export const TIME_RANGE: TimeRange = { ...times, raw: times };

const variables = new Map(
  [...address]
    .filter(([name]) => name.startsWith("var-"))
    .map(([name, value]) => [name.slice("var-".length), value]),
);

/** In seconds: what the datasource is told of its scrapes. */
const SCRAPE = 15;
const STEPS = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];
const INTERVALS: Readonly<Record<string, number>> = { "1m": 60, "5m": 300, "1h": 3600 };

/** How far apart a graph's points are, in seconds, as Grafana would have it on a panel of so many pixels. */
export function stepFor(pixels: number, interval: string | undefined): number {
  const fewest = interval === undefined ? SCRAPE : (INTERVALS[interval] ?? SCRAPE);
  return Math.max(fewest, STEPS.find((step) => step >= RANGE / pixels) ?? STEPS.at(-1)!);
}

/** With Grafana's own variables and the dashboard's; one that has no value in the address matches everything, and there are as many lines as at first. */
export function interpolated(text: string, step: number): string {
  const own: Readonly<Record<string, string>> = {
    __rate_interval: `${Math.max(step + SCRAPE, 4 * SCRAPE)}s`,
    __interval: `${step}s`,
    __range: `${RANGE}s`,
    top: "10",
  };
  return text.replace(
    /\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g,
    (_, braced: string | undefined, plain: string | undefined) => {
      const name = braced ?? plain!;
      return variables.get(name) ?? own[name] ?? ".*";
    },
  );
}
