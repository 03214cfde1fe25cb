import { type Contents, finished } from "./finish.js";
import { overview } from "./overview.js";
import { queue } from "./queue.js";
import { runtime } from "./runtime.js";
import { sla } from "./sla.js";
import { workers } from "./workers.js";

const ALL: readonly Contents[] = [overview, queue, workers, sla, runtime];

/** The dashboards' files, by name, as they should be. */
export function files(): Map<string, string> {
  return new Map(
    ALL.map((contents) => [`${contents.name}.json`, `${JSON.stringify(finished(contents), null, 2)}\n`]),
  );
}
