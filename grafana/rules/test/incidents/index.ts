import { burn } from "./burn.js";
import { healthy } from "./healthy.js";
import { processes } from "./processes.js";
import { type Incident, promtoolFile } from "./promtool-file.js";
import { work } from "./work.js";

const ALL = ["brokers", "consumers", "process", "room", "sla"];

/** By theme; and the rules that are asked. Hours of incidents would take minutes by all of them. */
const INCIDENTS: Readonly<Record<string, readonly [readonly Incident[], rules: readonly string[]]>> = {
  burn: [burn, ["sla"]],
  work: [work, ALL],
  processes: [processes, ALL],
  healthy: [healthy, ALL],
};

/** Files of tests for promtool, by name, where processes are scraped every so many seconds; the rules are in the folder. */
export function incidentFiles(scrapeS: number, folder: string): Map<string, string> {
  return new Map(
    Object.entries(INCIDENTS).map(([theme, [incidents, rules]]) => [
      `${theme}-${scrapeS}s.json`,
      promtoolFile(
        incidents,
        scrapeS,
        rules.map((name) => `${folder}/${name}.rules.yml`),
      ),
    ]),
  );
}
