/**
 * What queued items weigh, and what a drained queue still holds.
 *
 *     node --expose-gc --import tsx bench/memory.ts [--quick]
 */
import { printMisses, runGroups } from "./run-groups.js";

const quick = process.argv.includes("--quick");
const say = console.log;
printMisses(await runGroups(["memory"], { quick, row: "", say }), say);
