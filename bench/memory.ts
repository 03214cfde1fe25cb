/**
 * What queued items weigh, and what a drained queue still holds.
 *
 *     node --expose-gc --import tsx bench/memory.ts [--quick]
 */
import { printMisses, runGroups } from "./run-groups.js";

printMisses(await runGroups(["memory"], process.argv.includes("--quick")));
