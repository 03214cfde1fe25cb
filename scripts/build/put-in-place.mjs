import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Makes `dist` what `folder` is. A program that loads from it meanwhile gets all of the old files or all of the new ones: what entries
 * share is in files that are named after their content, and the entries follow when those are there. Of what is no longer needed the
 * files in `kept` stay, those of the build before, whose entries some program may just have read.
 */
export function putInPlace(folder, dist, kept) {
  if (!existsSync(dist)) {
    renameSync(folder, dist);
    return;
  }
  const files = filesIn(folder);
  const depth = (file) => file.split(/[\\/]/).length;
  for (const file of files.toSorted((a, b) => depth(b) - depth(a))) {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    renameSync(join(folder, file), join(dist, file));
  }
  const needed = new Set([...files, ...kept]);
  for (const file of filesIn(dist)) if (!needed.has(file)) rmSync(join(dist, file), { force: true });
  removeEmptyFolders(dist);
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function removeEmptyFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    removeEmptyFolders(path);
    if (readdirSync(path).length === 0) rmdirSync(path);
  }
}
