import { execFile } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe } from "vitest";
import { incidentFiles } from "../../grafana/rules/test/incidents/index.js";
import { temporaryFolder } from "../live/server.js";
import { itWith } from "../live/servers.js";
import { RULES, ruleFiles } from "./rules.js";

const run = promisify(execFile);
const TESTS = `${RULES}/test`;
const FILES = [...ruleFiles.keys()].map((name) => `${RULES}/${name}`);

/** Whether every promtool has to run everything: `npm run test:rules`. Otherwise each has a part, as CI has no time for more. */
export const IS_ALL = process.env.RULES === "all";

/** What a promtool says of the rules and, if it has that part, of their tests; and of incidents in which processes are scraped every so many seconds. */
export function rulesByPromtool(promtool: string, scrapesS: readonly number[], hasTests: boolean): void {
  itWith(promtool)("it finds nothing to complain of", async ({ paths }) => {
    await run(paths[promtool]!, ["check", "rules", "--lint=all", "--lint-fatal", ...FILES]);
  });

  const files = readdirSync(TESTS).filter((name) => name.endsWith(".test.yml"));
  // The other one runs them: to call them skipped would be untrue.
  for (const file of hasTests || IS_ALL ? files : []) {
    itWith(promtool)(`the rules do what their tests say: ${file}`, async ({ paths }) => {
      await run(paths[promtool]!, ["test", "rules", `${TESTS}/${file}`]);
    });
  }

  describe("of incidents everything is told, and nothing else:", () => {
    for (const scrapeS of IS_ALL ? [15, 30, 60] : scrapesS) {
      for (const [name, text] of incidentFiles(scrapeS, resolve(RULES))) {
        itWith(promtool)(name, async ({ paths, lifetime }) => {
          const file = join(temporaryFolder(lifetime), name);
          writeFileSync(file, text);
          await run(paths[promtool]!, ["test", "rules", file]);
        });
      }
    }
  });
}
