import { mutantsOfPromql, scaled } from "./mutants-of-promql.js";

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  keep_firing_for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface RuleFile {
  groups: { name: string; interval?: string; rules: Rule[] }[];
}

/** A file of rules with one mistake in it. */
export interface Mutant {
  /** `QueueStuck (critical)`. */
  readonly rule: string;
  readonly what: string;
  readonly file: RuleFile;
}

/** Every file that differs from this one in one place of one rule. */
export function mutantsOfRules(file: RuleFile): Mutant[] {
  return file.groups.flatMap((group, i) =>
    group.rules.flatMap((rule, j) =>
      [...mutantsOf(rule)].map(([what, mutant]) => ({
        rule: nameOf(rule),
        what,
        file: { groups: file.groups.with(i, { ...group, rules: group.rules.with(j, mutant) }) },
      })),
    ),
  );
}

export function nameOf({ alert, record, labels }: Rule): string {
  return alert === undefined ? `${record}` : `${alert} (${labels?.severity})`;
}

function* mutantsOf(rule: Rule): Generator<[string, Rule]> {
  for (const { what, expr } of mutantsOfPromql(rule.expr)) yield [what, { ...rule, expr }];
  if (rule.alert === undefined) return;
  for (const key of ["for", "keep_firing_for"] as const) {
    const duration = rule[key];
    if (duration === undefined) continue;
    yield [`without ${key}`, { ...rule, [key]: "0s" }];
    for (const factor of [0.5, 2]) {
      const other = scaled(duration, factor);
      yield [`${key} ${duration} → ${other}`, { ...rule, [key]: other }];
    }
  }
  const severity = rule.labels?.severity === "critical" ? "warning" : "critical";
  yield [`severity ${severity}`, { ...rule, labels: { ...rule.labels, severity } }];
  for (const [name, text] of Object.entries(rule.annotations ?? {})) {
    const { [name]: _, ...others } = rule.annotations!;
    yield [`without ${name}`, { ...rule, annotations: others }];
    // That each summary tells the environment is held by test/grafana/rules.test.ts.
    for (const [action] of text.matchAll(/\{\{.*?\}\}/g)) {
      if (/namespace|cluster|\{\{ (?:\.|end|if \$i) \}\}/.test(action)) continue;
      const without = text.replace(action, "");
      yield [`${name} without ${action}`, { ...rule, annotations: { ...others, [name]: without } }];
    }
  }
}
