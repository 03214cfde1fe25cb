import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder, and those above it that are missing. Not by Node's `recursive`, which tries for ever where a folder can't be made
 * though the one above it is there, as in `/proc`. Throws the file system's error.
 */
export function makeFolder(path: string): void {
  const error = failureOf(path);
  if (error === undefined) return;
  const above = dirname(path);
  if (error.code !== "ENOENT" || above === path || isFolder(above)) throw error;
  makeFolder(above);
  const again = failureOf(path);
  if (again !== undefined) throw again;
}

/** Why it is not there now. Another process may make it at the same time. */
function failureOf(path: string): NodeJS.ErrnoException | undefined {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!isFolder(path)) return error as NodeJS.ErrnoException;
  }
  return undefined;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
