import { lstatSync, readdirSync, unlinkSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { realClearTimeout, realSetTimeout, realWallNow } from "../../base/real-time.js";
import { trustedFolders } from "./folders.js";
import { idInName } from "./names.js";

/** How many sockets are looked at in a folder, and how long one has to answer, in milliseconds. */
const MAX_SOCKETS = 1_000;
const CONNECT_LIMIT_MS = 1_000;
/** A socket is bound a moment before it listens: younger ones are left alone, in milliseconds. */
const MIN_AGE_MS = 5_000;

/** A socket of a process that can be looked into. */
export interface FoundSocket {
  readonly path: string;
  readonly id: string;
}

/** The sockets of all folders that can be trusted, one for each process. */
export function findSockets(): FoundSocket[] {
  const found = new Map<string, FoundSocket>();
  for (const folder of trustedFolders()) {
    for (const name of namesIn(folder)) {
      const id = idInName(name);
      if (id !== undefined && !found.has(id)) found.set(id, { path: join(folder, name), id });
    }
  }
  return [...found.values()];
}

/** Takes away sockets to which nothing listens any more. Never rejects. */
export async function removeStale(folder: string): Promise<void> {
  const paths = namesIn(folder)
    .filter((name) => idInName(name) !== undefined)
    .map((name) => join(folder, name));
  await Promise.all(paths.map((path) => removeIfStale(path)));
}

/** Whether it was. Younger ones are left alone. Never rejects. */
export async function removeIfStale(path: string, minAgeMs = MIN_AGE_MS): Promise<boolean> {
  try {
    if (realWallNow() - lstatSync(path).ctimeMs < minAgeMs) return false;
    if (!(await isRefused(path))) return false;
    unlinkSync(path);
    return true;
  } catch {
    // Another process was faster, or it may not be.
    return false;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).slice(0, MAX_SOCKETS);
  } catch {
    return [];
  }
}

/** Only a refusal says that nothing listens: a process that is busy, or stopped, just doesn't answer. */
function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const timer = realSetTimeout(() => end(false), CONNECT_LIMIT_MS);
    const end = (isRefused: boolean) => {
      realClearTimeout(timer);
      socket.destroy();
      resolve(isRefused);
    };
    socket.unref();
    socket.once("connect", () => end(false));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code === "ECONNREFUSED"));
  });
}
