/** A figure at a time of an incident, in seconds since its beginning; undefined where it isn't exported, or the process isn't there. */
export type Figure = (t: number) => number | undefined;

/** What happened, as exporters tell it, and which alerts have to fire. */
export interface Incident {
  readonly name: string;
  /** How long it is looked at. */
  readonly minutes: number;
  /** Series, as `queue_depth{job="shop"}`. A figure that was there and is undefined leaves a marker that it is stale. */
  readonly series: Readonly<Record<string, Figure>>;
  /** By minute, every alert that fires then: `QueueStuck (critical)`, with what tells it from others: `QueueStuck (critical) queue_name=orders`. */
  readonly firing: Readonly<Record<number, readonly string[]>>;
}

/** Times of scrapes are multiples of it, in seconds. */
const GRID_S = 5;
/** By how much a scrape may be late. */
const LATE = [0, 5, 0, 10, 5] as const;
const GROUPS = [
  "queuescope-tasks",
  "queuescope-consumers",
  "queuescope-process",
  "queuescope-drops",
  "queuescope-room",
  "queuescope-sla",
  "queuescope-sla-burn",
  "queuescope-brokers-tasks",
  "queuescope-brokers",
];

/** The incidents as a file of tests for promtool; each process is scraped every so many seconds, or a little later. */
export function promtoolFile(
  incidents: readonly Incident[],
  scrapeS: number,
  rules: readonly string[],
): string {
  // JSON is YAML, too.
  return JSON.stringify({
    rule_files: rules,
    // Four times as often would take four times as long.
    evaluation_interval: "1m",
    group_eval_order: GROUPS,
    tests: incidents.map((incident) => ({
      name: `${incident.name}, scraped every ${scrapeS} s`,
      interval: `${GRID_S}s`,
      input_series: Object.entries(incident.series).map(([series, figure]) => ({
        series,
        values: values(figure, incident.minutes * 60, scrapeS, phaseOf(series, scrapeS)),
      })),
      promql_expr_test: Object.entries(incident.firing).map(([minute, alerts]) => ({
        expr: `count by (${labelsOf(alerts).join(", ")}) (ALERTS{alertstate="firing"})`,
        eval_time: `${minute}m`,
        exp_samples: [...new Set(alerts)].map((alert) => ({
          labels: matchersOf(alert),
          value: alerts.filter((each) => each === alert).length,
        })),
      })),
    })),
  });
}

function values(figure: Figure, seconds: number, scrapeS: number, phase: number): string {
  const points: string[] = [];
  let wasThere = false;
  for (let i = 0, at = phase; at <= seconds; i += 1, at = phase + i * scrapeS + LATE[i % LATE.length]!) {
    const value = figure(at);
    const point = value === undefined ? (wasThere ? "stale" : "_") : String(Number(value.toPrecision(12)));
    const missing = at / GRID_S - points.length;
    for (let j = 0; j < missing; j += 1) points.push("_");
    points.push(point);
    wasThere = value !== undefined;
  }
  return shortened(points);
}

/** Gaps as promtool writes them: `_x3` are three. */
function shortened(points: readonly string[]): string {
  return points.join(" ").replaceAll(/_(?: _)*/g, (gap) => `_x${(gap.length + 1) / 2}`);
}

/** When a process is scraped first: all of its series at once, and others at other times. */
function phaseOf(series: string, scrapeS: number): number {
  const instance = /instance="([^"]*)"/.exec(series)?.[1] ?? "";
  const sum = [...instance].reduce((all, char) => all * 7 + char.charCodeAt(0), 0);
  return (sum % (scrapeS / GRID_S)) * GRID_S;
}

function labelsOf(alerts: readonly string[]): string[] {
  const more = alerts.flatMap((alert) => [...alert.matchAll(/(\w+)=/g)].map(([, label]) => label!));
  return [...new Set(["alertname", "severity", ...more])];
}

function matchersOf(alert: string): string {
  const [, name, severity] = /^(\w+) \((\w+)\)/.exec(alert)!;
  const more = [...alert.matchAll(/(\w+)=(\S+)/g)].map(([, label, value]) => `, ${label}="${value}"`);
  return `{alertname="${name}", severity="${severity}"${more.join("")}}`;
}
