import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Names the file of CommonJS code; in modules there is none of that name. */
declare const __filename: string | undefined;

/**
 * The file in which this code is; undefined where it can't be told. A bundle in CommonJS form may leave nothing of `import.meta`, so this
 * is asked only when it is needed, and never throws.
 */
export function ownFile(): string | undefined {
  try {
    const url: string | undefined = import.meta.url;
    if (url !== undefined) return fileURLToPath(url);
    return typeof __filename === "string" ? __filename : undefined;
  } catch {
    return undefined;
  }
}

let root: string | undefined | null = null;

/** The folder of this package, or undefined where this code isn't in it: in a bundle. */
export function packageRoot(): string | undefined {
  if (root === null) root = rootAbove(ownFile());
  return root;
}

/**
 * The `require` of a file beside this code, or else in the working directory. webpack puts nothing in the place of a `createRequire` that
 * it finds among the imports, so it is asked for in another way.
 */
export function requireFromHere(): NodeJS.Require {
  const { createRequire } = process.getBuiltinModule("node:module");
  return createRequire(ownFile() ?? join(process.cwd(), "index.js"));
}

/** The folder of an installed package of ours: for code that was moved out of it into a bundle. */
export function installedRoot(version: string): string | undefined {
  try {
    const folder = dirname(requireFromHere().resolve("queuescope/package.json"));
    return read(folder)?.version === version ? folder : undefined;
  } catch {
    return undefined;
  }
}

function rootAbove(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const found = read(folder);
    if (found !== undefined) return found.name === "queuescope" ? folder : undefined;
    if (folder === dirname(folder)) return undefined;
  }
}

function read(folder: string): { name?: unknown; version?: unknown } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  } catch {
    return undefined;
  }
}
