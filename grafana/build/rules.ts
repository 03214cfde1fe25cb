import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";

const FOLDER = new URL("../rules/", import.meta.url);

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly Rule[];
}

/** The committed groups of rules, file after file. */
export function ruleGroups(): RuleGroup[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".yml"))
    .sort()
    .flatMap(
      (name) => (parse(readFileSync(new URL(name, FOLDER), "utf8")) as { groups: RuleGroup[] }).groups,
    );
}
