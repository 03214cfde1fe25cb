import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Rule, RuleFile } from "../../grafana/rules/test/mutants-of-rules.js";
import type { Series } from "./known-series.js";
import { labelsOf } from "./promql.js";

export const RULES = "grafana/rules";

export interface Alert extends Rule {
  readonly alert: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

/** The committed files of rules, by name. */
export const ruleFiles: ReadonlyMap<string, RuleFile> = new Map(
  readdirSync(RULES)
    .filter((name) => name.endsWith(".yml"))
    .map((name) => [name, parse(readFileSync(`${RULES}/${name}`, "utf8")) as RuleFile]),
);

const rules = [...ruleFiles.values()].flatMap(({ groups }) => groups.flatMap((group) => group.rules));

export const alerts = rules.filter((rule): rule is Alert => rule.alert !== undefined);
export const recordings = rules.filter(
  (rule): rule is Rule & { record: string } => rule.record !== undefined,
);

/** What the recording rules add to the series that there are. */
export const recorded: ReadonlyMap<string, Series> = recordings.reduce(
  // One may ask for those before it.
  (before, { record, expr }) => before.set(record, { kind: "gauge", labels: labelsOf(expr, before) }),
  new Map<string, Series>(),
);
