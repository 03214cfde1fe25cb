import { dirname } from "node:path";
import { mayListen } from "../../base/may-listen.js";

/**
 * Throws where a socket can't be opened there: Node itself would throw where it can't be caught. For the permission model a unix socket is network, from
 * Node 25 on, and a file.
 */
export function checkMayOpen(path: string): void {
  const { permission } = process as { permission?: { has(scope: string, path?: string): boolean } };
  const missing = [
    ...(permission?.has("fs.write", path) === false ? [`--allow-fs-write=${dirname(path)}`] : []),
    ...(mayListen() ? [] : ["--allow-net"]),
  ];
  if (missing.length > 0)
    throw new Error(`this process may not open a socket: start it with ${missing.join(" ")}`);
}
