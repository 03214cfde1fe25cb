import { join, sep } from "node:path";
import { packageRoot } from "./package-root.js";

let folders: readonly string[] | undefined;

/**
 * The folders of this library's own code: as it is published, and its sources. In a bundle there is none: nothing tells its code
 * from that around it.
 */
export function ownFolders(): readonly string[] {
  const root = packageRoot();
  folders ??= root === undefined ? [] : ["dist", "src"].map((folder) => join(root, folder) + sep);
  return folders;
}

/** Whether it is a file of this library. */
export function isOurs(file: string): boolean {
  return ownFolders().some((folder) => file.startsWith(folder));
}
