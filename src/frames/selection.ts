import { isOurs } from "../base/own-folders.js";

/** A package's name, or all of a scope: `@acme/*`. */
const NAME = /^(?:@[\w.~-]+\/(?:[\w.~-]+|\*)|[\w.~-]+)$/;
const FOLDER = /[\\/]node_modules[\\/]/g;

/** Names of packages, or of all in a scope, as `@acme/*`. */
export function isPackageName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name);
}

/** Whether the file is the user's own code: nothing that was installed, unless it is named here. */
export function isSelected(path: string, packages: readonly string[]): boolean {
  if (isOurs(path)) return false;
  const last = [...path.matchAll(FOLDER)].at(-1);
  if (last === undefined) return true;
  const [first = "", second = ""] = path.slice(last.index + last[0].length).split(/[\\/]/);
  const name = first.startsWith("@") ? `${first}/${second}` : first;
  return packages.includes(name) || (name !== first && packages.includes(`${first}/*`));
}
