import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const FILE = fileURLToPath(import.meta.url);
const FOLDER = dirname(dirname(FILE));

/**
 * The folders of this library's own code: where it runs, and where it is by its source maps. In a bundle there is none: nobody can
 * tell its code from that around it.
 */
export const OUR_FOLDERS: readonly string[] = /[\\/]watchdog[\\/]ours\.[jt]s$/.test(FILE)
  ? [FOLDER + sep, join(dirname(FOLDER), "src") + sep]
  : [];

/** Is it a file of this library? */
export function isOurs(file: string): boolean {
  return OUR_FOLDERS.some((folder) => file.startsWith(folder));
}
