/**
 * Follows one item through an instrumented queue and its pool, and a watchdog to its first report: which files and functions they pass,
 * in order.
 *
 *     node --import tsx scripts/walk/main.ts [--json]
 */
import { parseArgs } from "node:util";
import { LIMITS } from "./limits.js";
import { type Walk, walkOf } from "./walk.js";
import { wayOfABreach, wayOfAnItem } from "./ways.js";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const item = walkOf(await wayOfAnItem());
const breach = walkOf(await wayOfABreach());
if (values.json) console.log(JSON.stringify({ item, breach, limits: LIMITS }, null, 2));
else {
  print("an item, from put to settled", item);
  print("a breach, from the look that finds it to its report", breach);
  const { files, functions } = LIMITS.item;
  const checks = breach.files.filter(({ file }) => file.startsWith("watchdog/checks/")).length;
  console.log(
    `item: ${item.files.length} files, ${item.functions} functions, ${item.calls} calls; breach: ${breach.files.length} files`,
  );
  console.log(
    `goals: ${files.goal} files, ${functions.goal} functions; breach: ${LIMITS.breach.files.goal} files (${checks} of those are checks)`,
  );
}
// A pool and its handler never end.
process.exit();

function print(title: string, { files }: Walk): void {
  console.log(`== ${title}`);
  for (const { file, functions } of files) {
    const words = functions.map(({ name, calls }) => (calls === 1 ? name : `${name} x${calls}`));
    console.log(`${file}\n    ${words.join(", ")}`);
  }
  console.log();
}
