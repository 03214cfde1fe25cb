/**
 * Throws where the permission model forbids to listen, from Node 25 on: Node itself would throw only where it can't be caught, which
 * ends the process.
 */
export function checkMayListen(): void {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  if (permission === undefined || !process.allowedNodeEnvironmentFlags.has("--allow-net")) return;
  if (permission.has("net")) return;
  const message =
    "prometheus: this process may not listen on a port: start it with --allow-net, or give prometheus: false";
  throw Object.assign(new Error(message), { code: "ERR_ACCESS_DENIED", permission: "Net" });
}
