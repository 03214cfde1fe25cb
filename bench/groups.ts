import { readdirSync } from "node:fs";
import type { Scenario } from "./scenario.js";

/** The groups: each is a file in `cases` that exports its scenarios by its own name. */
export const GROUPS: readonly string[] = readdirSync(new URL("./cases/", import.meta.url))
  .map((file) => file.replace(/\.ts$/, ""))
  .sort();

/** A group's peers are loaded only in the processes that need them. */
export async function scenariosOf(group: string): Promise<readonly Scenario[]> {
  const module = (await import(`./cases/${group}.js`)) as Record<string, readonly Scenario[]>;
  return module[group]!;
}
