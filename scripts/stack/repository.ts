import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The absolute path of a file or folder of the repository. */
export function inRepository(path: string): string {
  return join(ROOT, path);
}

/** What is in a committed YAML file. Of which form it is, the caller knows: a test has checked it. */
export function readYaml<T>(path: string): T {
  return parse(readFileSync(inRepository(path), "utf8"), { merge: true }) as T;
}
