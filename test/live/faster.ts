import { parser } from "@prometheus-io/lezer-promql";

/**
 * The one difference, but for addresses, between the committed files and what the live tests run in CI: time goes by faster. Every
 * duration that Prometheus or Alertmanager waits for or looks back on is divided by this. Thresholds, labels and everything else
 * stay as they are. What a fault does to the demo takes as long as ever.
 */
export const TIMES_FASTER = 30;

/** A rate over fewer scrapes would be chance. */
const LEAST_SCRAPES = 4;

const UNITS = { ms: 1, s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3, w: 604_800e3, y: 31_536_000e3 } as const;

export type Json = Record<string, unknown>;

/** What is in `prometheus.yml`. */
export function fasterPrometheus(config: Json): Json {
  return {
    ...config,
    global: fasterScrapes(config.global as Json),
    scrape_configs: (config.scrape_configs as Json[]).map(fasterScrapes),
  };
}

/**
 * A scrape's timeout is as long as Prometheus allows, as long as the interval: the demo answers no faster than ever, and one that is
 * late by 333 ms is not what a timeout of 10 s is there for.
 */
function fasterScrapes(settings: Json): Json {
  const fast = faster(settings, ["scrape_interval", "evaluation_interval"]);
  return "scrape_timeout" in fast ? { ...fast, scrape_timeout: fast.scrape_interval } : fast;
}

/** What is in a file of rules; `scrapeMs` is the interval of the faster scrapes. */
export function fasterRules(file: Json, scrapeMs: number): Json {
  const groups = (file.groups as Json[]).map((group) => faster(group, ["interval"]));
  return eachRule({ ...file, groups }, (rule) => ({
    ...faster(rule, ["for", "keep_firing_for"]),
    expr: fasterPromql(String(rule.expr), scrapeMs),
  }));
}

/** What is in a file of rules, with nothing but the alerts' `for` divided. */
export function shorterFors(file: Json): Json {
  return eachRule(file, (rule) => faster(rule, ["for"]));
}

function eachRule(file: Json, change: (rule: Json) => Json): Json {
  const groups = (file.groups as Json[]).map((group) => ({
    ...group,
    rules: (group.rules as Json[]).map(change),
  }));
  return { ...file, groups };
}

/** What is in `alertmanager.yml`. */
export function fasterAlertmanager(config: Json): Json {
  const fast: Json = { ...config, route: fasterRoute(config.route as Json) };
  if (config.global !== undefined) fast.global = faster(config.global as Json, ["resolve_timeout"]);
  return fast;
}

function fasterRoute(route: Json): Json {
  const fast = faster(route, ["group_wait", "group_interval", "repeat_interval"]);
  if (route.routes !== undefined) fast.routes = (route.routes as Json[]).map(fasterRoute);
  return fast;
}

/** What Prometheus assumes where nothing says otherwise, and takes on its command line only. */
export const FASTER_DEFAULTS: readonly string[] = [
  `--query.lookback-delta=${fasterDuration("5m")}`,
  `--rules.alert.resend-delay=${fasterDuration("1m")}`,
];

/**
 * Ranges, offsets and steps, and the horizon of `predict_linear`, which is a duration that is written as a number. A range holds
 * some scrapes at least.
 */
export function fasterPromql(expr: string, scrapeMs: number): string {
  const changes: { from: number; to: number; text: string }[] = [];
  const range = (text: string) => fasterDuration(text, LEAST_SCRAPES * scrapeMs);
  parser.parse(expr).iterate({
    enter({ name, node, from, to }) {
      if (node.type.isError) throw new Error(`this is no PromQL: ${expr}`);
      const text = expr.slice(from, to);
      if (name === "NumberDurationLiteralInDurationContext") {
        const { parent } = node;
        const isRange = parent?.name === "DurationExpr" && parent.prevSibling?.name !== "DurationExpr";
        changes.push({ from, to, text: isRange ? range(text) : fasterDuration(text) });
      } else if (name === "FunctionCall" && node.firstChild?.firstChild?.name === "PredictLinear") {
        const horizon = node.lastChild!.lastChild!;
        const { from, to } = horizon;
        changes.push({ from, to: from, text: "(" }, { from: to, to, text: `) / ${TIMES_FASTER}` });
      }
    },
  });
  changes.sort((a, b) => b.from - a.from);
  return changes.reduce((all, { from, to, text }) => all.slice(0, from) + text + all.slice(to), expr);
}

function faster(settings: Json, names: readonly string[]): Json {
  const fast = { ...settings };
  for (const name of names) {
    if (fast[name] !== undefined) fast[name] = fasterDuration(String(fast[name]));
  }
  return fast;
}

function fasterDuration(text: string, leastMs = 1): string {
  return `${Math.max(Math.round(milliseconds(text) / TIMES_FASTER), leastMs)}ms`;
}

/** Of a duration as Prometheus writes it: `1h30m`. */
export function milliseconds(duration: string): number {
  if (duration === "0") return 0;
  if (!/^(\d+(ms|[smhdwy]))+$/.test(duration)) throw new Error(`this is no duration: ${duration}`);
  const parts = duration.matchAll(/(\d+)(ms|[smhdwy])/g);
  return [...parts].reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNITS[unit as keyof typeof UNITS],
    0,
  );
}
