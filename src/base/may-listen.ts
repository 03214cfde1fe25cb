/**
 * Throws where the permission model forbids to listen, from Node 25 on: Node itself would throw only where it can't be caught, which
 * ends the process. `what` wants to listen; `instead` is what else may be done.
 */
export function checkMayListen(what: string, instead?: string): void {
  if (mayListen()) return;
  const other = instead === undefined ? "" : `, or ${instead}`;
  const message = `${what}: this process may not listen on a port: start it with --allow-net${other}`;
  throw Object.assign(new Error(message), { code: "ERR_ACCESS_DENIED", permission: "Net" });
}

/** Whether the permission model lets the process listen. */
export function mayListen(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  if (permission === undefined || !process.allowedNodeEnvironmentFlags.has("--allow-net")) return true;
  return permission.has("net");
}
