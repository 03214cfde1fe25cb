/**
 * Side-by-side benchmarks: CPU time per item in interleaved rounds, as ratios of medians.
 *
 *     node --expose-gc --import tsx bench/main.ts [--quick] [--json] [--only GROUP] [--row TEXT]
 */
import { parseArgs } from "node:util";
import { GROUPS } from "./groups.js";
import { machineRows } from "./report.js";
import { printMisses, runGroups } from "./run-groups.js";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    row: { type: "string" },
  },
});
const unknown = values.only?.find((name) => !GROUPS.includes(name));
if (unknown !== undefined) throw new Error(`no group ${unknown}; there are ${GROUPS.join(", ")}`);

// The tables make way for what machines read.
const say = values.json ? console.error : console.log;
const groups = await runGroups(values.only ?? GROUPS, { quick: values.quick, row: values.row ?? "", say });
printMisses(groups, say);
if (values.json) console.log(JSON.stringify(machineRows(groups), null, 2));
