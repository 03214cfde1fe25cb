import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import type { Piscina as PiscinaPool } from "piscina";
import { MissingPeerError, ThreadsUnavailableError } from "../../base/errors.js";
import { installedRoot, ownFile, packageRoot, requireFromHere } from "../../base/package-root.js";
import { SCOPE } from "../../telemetry/version.js";

/**
 * The file of the program that runs in each thread. It must be a file of its own, so a bundle doesn't have it; then that of an installed
 * package does, if it is of this version. Throws `ThreadsUnavailableError` where there is none.
 */
export function threadProgram(): string {
  const found = [packageRoot(), installedRoot(SCOPE.version)].flatMap(programsIn).find(existsSync);
  if (found === undefined) {
    throw new ThreadsUnavailableError(
      "the program of the threads is a file of this package, and a bundle doesn't have it: " +
        "mark queuescope and piscina as external in the bundler, and install them beside the bundle",
    );
  }
  return found;
}

/** Beside the sources, where this code runs from them by a tool such as tsx; else as it is published. */
function programsIn(root: string | undefined): string[] {
  if (root === undefined) return [];
  const built = join(root, "dist", "thread.js");
  const file = ownFile();
  if (file?.startsWith(join(root, "src")) !== true) return [built];
  return [join(root, "src", "worker", "threads", `thread${extname(file)}`)];
}

/**
 * piscina, which has programs of its own: it is never bundled, and loaded when the first threads are wanted. Throws `MissingPeerError`
 * where it isn't installed.
 */
export function loadPiscina(): typeof PiscinaPool {
  // By another name than `require`: bundlers would follow that.
  const load = requireFromHere();
  try {
    return (load("piscina") as typeof import("piscina")).Piscina;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "MODULE_NOT_FOUND" || !/'piscina'/.test(message)) throw error;
    throw new MissingPeerError("queuescope/threads", ["piscina"], "npm install piscina@5", { cause: error });
  }
}
