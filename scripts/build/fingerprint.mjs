import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Everything that a build depends on; the lock file stands for the tools. */
const FILES = [
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/build.mjs",
];
const FOLDERS = ["src", "scripts/build"];

/** The file in `dist` that says from what it was built. It is no part of the package. */
const STAMP = ".fingerprint";

/** A hash of all that goes into a build. */
export function fingerprint(root) {
  const hash = createHash("sha256");
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length)),
  );
  for (const file of [...FILES, ...inFolders.sort()]) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** What the last build left: from what it was built, and the names of its files. */
export function lastBuild(dist) {
  const file = join(dist, STAMP);
  if (!existsSync(file)) return { print: undefined, names: [] };
  const [print, ...names] = readFileSync(file, "utf8").trim().split("\n");
  return { print, names };
}

export function isUpToDate(dist, print) {
  const { print: built, names } = lastBuild(dist);
  // One may have been removed.
  return built === print && names.every((name) => existsSync(join(dist, name)));
}

export function stamp(dist, print) {
  const names = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dist.length + 1));
  writeFileSync(join(dist, STAMP), `${[print, ...names.sort()].join("\n")}\n`);
}
