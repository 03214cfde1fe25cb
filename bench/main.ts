/**
 * Side-by-side benchmarks: CPU time per item in interleaved rounds, as ratios of medians.
 *
 *     node --expose-gc --import tsx bench/main.ts [--quick] [--json FILE] [--only GROUP]
 */
import { parseArgs } from "node:util";
import { GROUPS, type GroupName, isGroupName } from "./groups.js";
import { writeJson } from "./report.js";
import { printMisses, runGroups } from "./run-groups.js";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    only: { type: "string", multiple: true },
  },
});
const all = Object.keys(GROUPS) as GroupName[];
const unknown = values.only?.find((name) => !isGroupName(name));
if (unknown !== undefined) throw new Error(`no group ${unknown}; there are ${all.join(", ")}`);

const groups = await runGroups((values.only as GroupName[] | undefined) ?? all, values.quick);
printMisses(groups);
if (values.json !== undefined) writeJson(values.json, groups);
