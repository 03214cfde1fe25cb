import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The longest path that a unix socket can have, in bytes: 107 on Linux, 103 elsewhere. */
export const MAX_PATH = process.platform === "linux" ? 107 : 103;
/** What the name of a socket takes at least, in bytes: the number of a process and of a thread, and when it began. */
const MIN_NAME = 34;
/** What it takes at most, if there is room. */
const MAX_NAME = 62;

/** How long the name of a socket in the folder may be, in bytes. */
export function roomIn(folder: string): number {
  return Math.min(MAX_NAME, MAX_PATH - Buffer.byteLength(folder) - 1);
}

/**
 * The folders in which processes of this user may have their sockets, in the order in which one is chosen. With `QUEUESCOPE_DIR` in the environment it
 * is that one alone. Others don't depend on the environment only, as the command may be run with another one than the process.
 */
export function socketFolders(): string[] {
  const { QUEUESCOPE_DIR, XDG_RUNTIME_DIR } = process.env;
  if (QUEUESCOPE_DIR) return [QUEUESCOPE_DIR];
  const uid = process.getuid?.();
  const own = `queuescope-${uid ?? "user"}`;
  const folders = [
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, "queuescope")] : []),
    ...(uid === undefined || process.platform !== "linux" ? [] : [`/run/user/${uid}/queuescope`]),
    ...(process.platform === "win32" ? [] : [`/tmp/${own}`]),
    join(tmpdir(), own),
  ];
  return [...new Set(folders)].filter((folder) => folder.startsWith("/"));
}

/**
 * The first of them that can be used, made if it isn't there. Throws, and says of each what is wrong, where none can. One that is another user's, is
 * a link, or lets others in is not used: what is put there might be read or replaced.
 */
export function usableFolder(): string {
  const complaints: string[] = [];
  for (const folder of socketFolders()) {
    const complaint = complaintAbout(folder, true);
    if (complaint === undefined) return folder;
    complaints.push(`${folder} ${complaint}`);
  }
  throw new Error(complaints.join("; ") || "there is no folder for it; name one by QUEUESCOPE_DIR");
}

/** Those that are there and can be trusted. */
export function trustedFolders(): string[] {
  return socketFolders().filter((folder) => complaintAbout(folder, false) === undefined);
}

function complaintAbout(folder: string, make: boolean): string | undefined {
  if (roomIn(folder) < MIN_NAME) {
    return `is too long: with the name of a socket a path may have ${MAX_PATH} bytes`;
  }
  try {
    if (make) mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_ACCESS_DENIED") return `can't be made: start it with --allow-fs-write=${folder}`;
    if (code !== "EEXIST") return `can't be made (${code})`;
  }
  try {
    const facts = lstatSync(folder);
    if (!facts.isDirectory()) return "is no folder";
    if (process.getuid !== undefined && facts.uid !== process.getuid()) return "belongs to another user";
    if ((facts.mode & 0o077) !== 0) return "is open to others: it must have mode 0700";
    return undefined;
  } catch (error) {
    return `can't be looked at (${(error as NodeJS.ErrnoException).code})`;
  }
}
