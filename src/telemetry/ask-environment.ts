import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ownFile, packageRoot } from "../base/package-root.js";
import { processWide } from "../base/process-wide.js";
import { shown } from "../base/shown.js";
import { warn, warnThat } from "../base/warning.js";

const { inspection } = processWide;

/** The part of `queuescope/inspect` in use. */
interface Door {
  inspect(): unknown;
}

/** Whether the environment wants the process to be looked into is asked once, when there first is something to see. */
export function askEnvironment(): void {
  if (inspection.isAsked) return;
  inspection.isAsked = true;
  const { QUEUESCOPE_INSPECT: wish } = process.env;
  if (!wish || wish === "0" || wish === "false") return;
  const door = doorFile();
  if (wish !== "1" && wish !== "true") refuse(`QUEUESCOPE_INSPECT must be 1 or 0, not "${shown(wish)}"`);
  else if (door === undefined)
    refuse("a bundle has no live view but that of queuescope/inspect, by inspect()");
  else look(door);
}

function refuse(why: string): void {
  warnThat(`queuescope: ${why}: this process can't be looked into`);
}

function look(door: string): void {
  // By a name that no bundler follows: else all that has a queue would have to be several files.
  import(/* webpackIgnore: true */ /* @vite-ignore */ pathToFileURL(door).href).then(
    ({ inspect }: Door) => inspect(),
    (error: unknown) => warn("queuescope: this process can't be looked into", error),
  );
}

/** The door beside this code: as it is published, or its source, where a tool such as tsx runs that. */
function doorFile(): string | undefined {
  const [root, file] = [packageRoot(), ownFile()];
  if (root === undefined || file === undefined) return undefined;
  if (file.startsWith(join(root, "src"))) return join(root, "src", "inspect.ts");
  return join(root, "dist", file.endsWith(".cjs") ? "inspect.cjs" : "inspect.js");
}
