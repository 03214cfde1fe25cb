import { parser } from "@prometheus-io/lezer-promql";
import { THRESHOLDS } from "./thresholds.js";

/** A part of a text for which a value is put in; `name` is a field of what jsonnet formats with. */
interface Hole {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Ranges that have to hold so many scrapes: of gauges one, of counters two, and somewhat more as scrapes come late. */
export const SHORT_RANGES: Readonly<Record<string, { seconds: number; scrapes: string }>> = {
  "100s": { seconds: 100, scrapes: "5 / 3" },
  "2m": { seconds: 120, scrapes: "5 / 3" },
  "3m": { seconds: 180, scrapes: "5 / 2" },
};

/** Ranges from this on hold enough scrapes at the longest interval that is allowed, which is {@link LONGEST_SCRAPE_S}. */
const LONG_ENOUGH_S = 300;
export const LONGEST_SCRAPE_S = 120;

/**
 * The expression as a format of jsonnet's: users' matchers in each selector of scraped series, ranges that follow their scrape
 * interval, and their thresholds. What a recording rule has made was selected before.
 */
export function exprTemplate(rule: string, expr: string, used: Set<string>): string {
  const holes = [...matcherHoles(expr), ...thresholdHoles(rule, expr, used)];
  return filled(expr, holes);
}

/** The same of a text for people, in which only thresholds are numbers of the rule. */
export function textTemplate(rule: string, text: string, used: Set<string>): string {
  const own = thresholdHoles(rule, text, used, (place) => /[a-z]/.test(place));
  const grafana = "{{ $externalLabels.grafana_url }}";
  const from = text.indexOf(grafana);
  if (from >= 0) own.push({ from, to: from + grafana.length, text: "%(grafana_url)s" });
  return filled(text, own);
}

function matcherHoles(expr: string): Hole[] {
  const holes: Hole[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, node }) => {
      if (name === "VectorSelector") {
        const metric = node.getChild("Identifier");
        if (metric === null) throw new Error(`a selector without a metric: ${expr}`);
        if (!isScraped(expr.slice(metric.from, metric.to))) return;
        const list = node.getChild("LabelMatchers");
        // Before the closing brace, or where one would open.
        const where = list === null ? metric.to : list.to - 1;
        holes.push({ from: where, to: where, text: list === null ? "%(matchers)s" : "%(more_matchers)s" });
      } else if (name === "MatrixSelector") {
        const metric = node.getChild("VectorSelector")?.getChild("Identifier");
        if (!metric || !isScraped(expr.slice(metric.from, metric.to))) return;
        const { 0: text, index } = /\[(\w+)\]$/.exec(expr.slice(node.from, node.to))!;
        const range = text.slice(1, -1);
        const from = node.from + index + 1;
        if (Object.hasOwn(SHORT_RANGES, range))
          holes.push({ from, to: from + range.length, text: `%(range_${range})s` });
        else if (secondsOf(range) < LONG_ENOUGH_S)
          throw new Error(`how does a range of ${range} follow the scrape interval? ${expr}`);
      }
    },
  });
  return holes;
}

/** Alerts are made by the rules, as recordings are. */
function isScraped(metric: string): boolean {
  return !metric.includes(":") && metric !== "ALERTS";
}

function thresholdHoles(
  rule: string,
  text: string,
  used: Set<string>,
  isMeant = (place: string) => !/[a-z]/.test(place),
): Hole[] {
  return THRESHOLDS.flatMap(({ name, value, places }) =>
    places
      .filter((place) => place.rule === rule && isMeant(place.text))
      .flatMap(({ text: place }) => {
        const [before, after] = place.split("#");
        const found = [
          ...text.matchAll(
            new RegExp(`${escaped(before!)}(${escaped(`${value}`)})${escaped(after!)}(?![\\w.:])`, "g"),
          ),
        ];
        if (found.length > 0) used.add(`${name} in ${rule}: ${place}`);
        return found.map(({ index }) => {
          const from = index + before!.length;
          return { from, to: from + `${value}`.length, text: `%(${name})g` };
        });
      }),
  );
}

/** What of the thresholds was found nowhere: a rule was changed without its row. */
export function notFound(used: ReadonlySet<string>): string[] {
  return THRESHOLDS.flatMap(({ name, places }) =>
    places.map(({ rule, text }) => `${name} in ${rule}: ${text}`).filter((place) => !used.has(place)),
  );
}

function filled(text: string, holes: readonly Hole[]): string {
  let result = "";
  let end = 0;
  for (const { from, to, text: hole } of [...holes].sort((a, b) => a.from - b.from)) {
    result += `${formatted(text.slice(end, from))}${hole}`;
    end = to;
  }
  return result + formatted(text.slice(end));
}

/** For jsonnet, `%` opens a hole. */
function formatted(text: string): string {
  return text.replaceAll("%", "%%");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A duration of Prometheus' that has one unit, in seconds. */
export function secondsOf(duration: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  if (count === undefined) throw new Error(`${duration} is no duration such as 5m`);
  return Number(count) * UNITS_S[unit!]!;
}
