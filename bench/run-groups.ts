import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { scenariosOf } from "./groups.js";
import { isMiss, table } from "./report.js";
import type { Findings, Row, Scenario } from "./scenario.js";

const RUNNER = fileURLToPath(new URL("./run-scenario.ts", import.meta.url));

/** Contestants take turns; whose turn is over must not lose its code to a collection. */
const V8_FLAGS = ["--no-flush-bytecode"];

export interface RunOptions {
  /** Leaves out what is slow, and measures only so much that it runs. */
  readonly quick: boolean;
  /** Only scenarios with this in their name. */
  readonly row: string;
  /** Takes a table, or what else people read. */
  readonly say: (text: string) => void;
}

/**
 * Runs the groups and tells of them as they finish. Each scenario gets a process of its own: the feedback that V8 gathers in one
 * would slow down, or speed up, the next. Contestants within a scenario share the process and take turns.
 */
export async function runGroups(
  names: readonly string[],
  { quick, row, say }: RunOptions,
): Promise<Map<string, readonly Row[]>> {
  const groups = new Map<string, readonly Row[]>();
  for (const name of names) {
    say(`\n== ${name}`);
    const rows: Row[] = [];
    for (const scenario of await scenariosOf(name)) {
      if (!scenario.name.includes(row)) continue;
      if (quick && scenario.isSlow) {
        say(`\n${scenario.name}: skipped, a quick run leaves it out`);
        continue;
      }
      const findings = await runScenario(name, scenario, quick);
      say(`\n${findings.skipped ?? table(findings.rows)}`);
      rows.push(...findings.rows);
    }
    groups.set(name, rows);
  }
  return groups;
}

/** What is below its goal, once more at the end. */
export function printMisses(groups: ReadonlyMap<string, readonly Row[]>, say: RunOptions["say"]): void {
  const rows = [...groups.values()].flat();
  const misses = rows.filter(isMiss);
  const goals = rows.filter(({ goal }) => goal !== null).length;
  say(`\n== ${goals - misses.length} of ${goals} goals are met${misses.length > 0 ? "; missed:" : ""}`);
  if (misses.length > 0) say(table(misses));
}

async function runScenario(group: string, scenario: Scenario, quick: boolean): Promise<Findings> {
  const child = fork(RUNNER, [group, scenario.name, quick ? "quick" : "full"], {
    execArgv: [...process.execArgv, ...V8_FLAGS],
  });
  let findings: Findings | undefined;
  child.on("message", (message) => {
    findings = message as Findings;
  });
  const [code] = await once(child, "exit");
  if (findings === undefined) throw new Error(`${group}, ${scenario.name}: exit code ${code}`);
  return findings;
}
