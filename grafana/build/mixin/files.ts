import { expectedJobs } from "../expected-jobs.js";
import { DASHBOARDS, type DashboardName, RUNBOOKS } from "../links.js";
import { type Rule, type RuleGroup, ruleGroups } from "../rules.js";
import {
  exprTemplate,
  LONGEST_SCRAPE_S,
  notFound,
  SHORT_RANGES,
  secondsOf,
  textTemplate,
} from "./template.js";
import { THRESHOLDS } from "./thresholds.js";

const MADE = "// Made by `npm run dashboards`";

/** The files of the mixin that are made, by their paths in `grafana/mixin`; mixin.libsonnet, which is written by hand, brings them together. */
export function mixinFiles(): Map<string, string> {
  return new Map([
    ["thresholds.libsonnet", thresholds()],
    ["scraping.libsonnet", scraping()],
    ["rules.libsonnet", rules()],
    ["dashboards.libsonnet", dashboards()],
  ]);
}

function thresholds(): string {
  const rows = THRESHOLDS.map(({ name, value, doc }) => `  // ${doc}\n  ${name}: ${value},\n`);
  return `${MADE} from grafana/build/mixin/thresholds.ts.\n{\n${rows.join("")}}\n`;
}

function scraping(): string {
  const ranges = Object.entries(SHORT_RANGES).map(
    ([name, { seconds, scrapes }]) =>
      `  range_${name}: duration(std.max(${seconds}, std.ceil(seconds * ${scrapes}))),\n`,
  );
  return `${MADE} from grafana/build/mixin/template.ts.
//
// How ranges follow the seconds between two scrapes. Up to 60 s they needn't; what has fewer scrapes in it would be empty now and then.
function(seconds)
  assert seconds > 0 && seconds <= ${LONGEST_SCRAPE_S} : '_config.scrape_interval must be from 1s to ${LONGEST_SCRAPE_S / 60}m: what is scraped more rarely, Prometheus takes for gone';
  local duration(s) = if s % 3600 == 0 then '%dh' % (s / 3600) else if s % 60 == 0 then '%dm' % (s / 60) else '%ds' % s;
  {
  ${ranges.join("  ")}    // What a process that is gone told last is seen for longer, and must not fire for it.
    held(s):: duration(s + std.max(0, std.ceil(seconds * 5 / 3) - 100)),
  }
`;
}

function rules(): string {
  const used = new Set<string>();
  const groups = ruleGroups();
  const alerts = groups.filter(hasAlerts).map((group) => groupOf(group, used));
  const recordings = groups.filter((group) => !hasAlerts(group)).map((group) => groupOf(group, used));
  const lost = notFound(used);
  if (lost.length > 0)
    throw new Error(`the rules have no longer what thresholds.ts names: ${lost.join("; ")}`);
  return `${MADE} from grafana/rules.
//
// Recording rules stay in the groups of the alerts that use them: what is in one group is evaluated in order, at one moment.
function(c) {
  alerts: [
${alerts.join("")}  ],
  recordings: [
${recordings.join("")}  ],
  // \`matchers\` as they stand in a selector.
  expected(matchers)::
${expected()},
}
`;
}

function expected(): string {
  const [rule] = expectedJobs([""], `${RUNBOOKS}QueueTelemetryLost.md`).rules;
  return ruleOf(rule!, new Set(), ["'absent(up{' + matchers + c.more_matchers + '})\\n',"]);
}

function hasAlerts({ rules }: RuleGroup): boolean {
  return rules.some(({ alert }) => alert !== undefined);
}

function groupOf({ name, interval, rules }: RuleGroup, used: Set<string>): string {
  const every = interval === undefined ? "" : `      interval: '${interval}',\n`;
  return `    {
      name: '${name}',
${every}      rules: [
${rules.map((rule) => `${ruleOf(rule, used)},\n`).join("")}      ],
    },
`;
}

function ruleOf(rule: Rule, used: Set<string>, expression?: string[]): string {
  const { record, alert, expr, for: held, keep_firing_for: kept, labels, annotations = {} } = rule;
  const name = alert === undefined ? `${record}` : `${alert} (${labels?.severity})`;
  const lines = [alert === undefined ? `record: '${record}',` : `alert: '${alert}',`];
  const template = () => [
    "|||",
    ...indented(exprTemplate(name, expr, used).trimEnd().split("\n")),
    "||| % c,",
  ];
  const [first, ...others] = expression ?? template();
  lines.push(`expr: ${first}`, ...others);
  if (held !== undefined) lines.push(`'for': c.held(${secondsOf(held)}),`);
  if (kept !== undefined) lines.push(`keep_firing_for: '${kept}',`);
  if (labels !== undefined) lines.push(`labels: ${JSON.stringify(labels)},`);
  if (alert !== undefined) {
    lines.push("annotations: {");
    for (const [key, text] of Object.entries(annotations))
      lines.push(`  ${key}: ${annotationOf(name, key, text, used)},`);
    lines.push("},");
  }
  return `        {\n${lines.map((line) => `          ${line}\n`).join("")}        }`;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function annotationOf(rule: string, key: string, text: string, used: Set<string>): string {
  if (key === "runbook_url") {
    const [, runbook] = /\/([A-Za-z]+)\.md$/.exec(text)!;
    return `c.runbook_url_pattern % '${runbook}'`;
  }
  const template = textTemplate(rule, text, used);
  return template === text.replaceAll("%", "%%") ? JSON.stringify(text) : `${JSON.stringify(template)} % c`;
}

function dashboards(): string {
  const rows = (Object.keys(DASHBOARDS) as DashboardName[]).map(
    (name) => `  'queuescope-${name}.json': import '../dashboards/${name}.json',\n`,
  );
  return `${MADE}.\n{\n${rows.join("")}}\n`;
}
