import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { labelsOf } from "./promql.js";
import { alerts, recorded } from "./rules.js";

const FILE = "grafana/alertmanager/alertmanager.yml";

interface Inhibition {
  source_matchers: string[];
  target_matchers: string[];
  equal: string[];
}
const { route, inhibit_rules } = parse(readFileSync(FILE, "utf8")) as {
  route: { group_by: string[] };
  inhibit_rules: Inhibition[];
};

/** The committed alerts as they might fire, all of one queue, tier and process. */
const fired = alerts.map(({ alert, expr, labels }) => ({
  alertname: alert,
  ...labels,
  ...Object.fromEntries(
    labelsOf(expr, recorded).map((label) => [label, label === "queue_reason" ? "rejected" : label]),
  ),
})) as Record<string, string>[];

function matches(matchers: readonly string[], labels: Record<string, string>): boolean {
  return matchers.every((matcher) => {
    const [, name, op, value] = /^(\w+)(=~|!=|=)"(.*)"$/.exec(matcher)!;
    const actual = labels[name!] ?? "";
    if (op === "=~") return new RegExp(`^(?:${value})$`).test(actual);
    return (actual === value) === (op === "=");
  });
}

/** As Alertmanager does it: a label that both lack is equal. */
function inhibits(source: Record<string, string>, target: Record<string, string>): boolean {
  return inhibit_rules.some(
    (rule) =>
      matches(rule.source_matchers, source) &&
      matches(rule.target_matchers, target) &&
      rule.equal.every((label) => (source[label] ?? "") === (target[label] ?? "")),
  );
}

const isOfJob = ({ job }: Record<string, string>) => job !== undefined;
const of = (name: string, severity: string) =>
  fired.find((each) => each.alertname === name && each.severity === severity && isOfJob(each))!;
/** Of what a broker tells: of no job. */
const ofBroker = (name: string, severity: string) =>
  fired.find((each) => each.alertname === name && each.severity === severity && !isOfJob(each))!;
const nameOf = ({ alertname, severity }: Record<string, string>) => `${alertname} (${severity})`;

describe("Alertmanager", () => {
  it("has a message for each queue", () => {
    expect(route.group_by).toEqual(["cluster", "namespace", "job", "queue_name"]);
  });

  it("keeps no page back for the sake of a warning, but for a queue that drops because it is full", () => {
    const kept = fired.flatMap((target) =>
      fired.filter((source) => source.severity === "warning" && inhibits(source, target)).map(() => target),
    );
    expect(kept.filter(({ severity }) => severity === "critical")).toEqual([]);
  });

  it("never inhibits in a circle", () => {
    const reached = (from: Record<string, string>, seen: Set<unknown>): boolean =>
      fired.some((to) => {
        if (!inhibits(from, to) || (from.alertname === to.alertname && from.severity === to.severity))
          return false;
        return seen.has(to) || reached(to, new Set([...seen, to]));
      });
    for (const alert of fired) expect(reached(alert, new Set([alert])), nameOf(alert)).toBe(false);
  });

  it("keeps a warning back while the same alert pages", () => {
    for (const critical of fired.filter(({ severity }) => severity === "critical")) {
      const warning = (isOfJob(critical) ? of : ofBroker)(critical.alertname!, "warning");
      // Its warning is about one process of several, and never fires together with it.
      if (warning === undefined || critical.alertname === "QueueTelemetryLost") continue;
      expect(inhibits(critical, warning), nameOf(critical)).toBe(true);
    }
  });

  const CAUSES: [string, string][] = [
    ["QueueNoConsumer", "QueueOldestItemOverSla"],
    ["QueueStuck", "QueueOldestItemOverSla"],
    ["QueueWorkersStalled", "QueueOldestItemOverSla"],
    ["QueueBreakerOpen", "QueueOldestItemOverSla"],
    ["QueueOldestItemOverSla", "QueueSlaBudgetBurn"],
    ["QueueOldestItemOverSla", "QueueCompletionOverSla"],
    ["QueueRetryStorm", "QueueCompletionOverSla"],
    ["QueueStuck", "QueueCompletionOverSla"],
    ["QueueTelemetryLost", "QueueSlaBudgetBurn"],
    ["QueueTelemetryLost", "QueueDropping"],
    ["QueueNoConsumer", "QueueDropping"],
  ];
  it.each(CAUSES)("while %s pages, %s doesn't, of the same queue", (cause, symptom) => {
    const [source, target] = [of(cause, "critical"), of(symptom, "critical")];
    expect(inhibits(source, target)).toBe(true);
    expect(inhibits(target, source)).toBe(false);
    expect(inhibits(source, { ...target, job: "other" })).toBe(false);
    if (source.queue_name !== undefined)
      expect(inhibits(source, { ...target, queue_name: "other" })).toBe(false);
  });

  it("while one process stands still, no page about a queue is kept back: it may be about another process", () => {
    const stalled = of("QueueEventLoopStalled", "critical");
    const queues = fired.filter((each) => each.queue_name !== undefined && each.severity === "critical");
    expect(queues.filter((page) => inhibits(stalled, page)).map(nameOf)).toEqual([]);
    const warning = of("QueueOldestItemOverSla", "warning");
    expect(inhibits(stalled, warning)).toBe(true);
    expect(inhibits(stalled, { ...warning, job: "other" })).toBe(false);
  });

  it.each([
    ["QueueNoConsumer", "QueueOldestItemOverSla"],
    ["QueueStuck", "QueueOldestItemOverSla"],
  ])("while %s pages of a broker's queue, %s of it doesn't", (cause, symptom) => {
    const [source, target] = [ofBroker(cause, "critical"), ofBroker(symptom, "critical")];
    expect(inhibits(source, target)).toBe(true);
    expect(inhibits(target, source)).toBe(false);
    expect(inhibits(source, { ...target, queue_name: "other" })).toBe(false);
    // There may be a queue of that name in a process, which is another one.
    expect(inhibits(source, of(symptom, "critical"))).toBe(false);
  });

  it.each(["QueueNoConsumer", "QueueStuck", "QueueOldestItemOverSla"])(
    "while %s pages of a broker's queue, no job pages for the budget that this uses up",
    (cause) => {
      const [source, target] = [ofBroker(cause, "critical"), of("QueueSlaBudgetBurn", "critical")];
      expect(inhibits(source, target)).toBe(true);
      expect(inhibits(source, { ...target, job: "other" })).toBe(true);
      expect(inhibits(source, { ...target, queue_name: "other" })).toBe(false);
      expect(inhibits(ofBroker("QueueOldestItemOverSla", "warning"), target)).toBe(false);
    },
  );

  it("tells of what no other alert explains", () => {
    for (const target of ["QueueFailures", "QueueEventLoopStalled", "QueueNoConsumer", "QueueStuck"]) {
      const by = fired.filter((source) => inhibits(source, of(target, "critical"))).map(nameOf);
      expect(
        by.filter((name) => name !== "QueueTelemetryLost (critical)"),
        target,
      ).toEqual([]);
    }
  });
});
