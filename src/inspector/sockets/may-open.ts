/**
 * Throws where the permission model forbids it: Node itself would throw where it can't be caught. A unix socket counts as network from Node 25 on.
 */
export function checkMayOpenSockets(): void {
  if (process.platform === "win32")
    throw new Error("there are no unix sockets on Windows; use serveInspector()");
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  if (permission === undefined) return;
  const hasNet = process.allowedNodeEnvironmentFlags.has("--allow-net");
  const missing = [
    ...(permission.has("fs.write") ? [] : ["--allow-fs-write=DIR"]),
    ...(hasNet && !permission.has("net") ? ["--allow-net"] : []),
  ];
  if (missing.length > 0)
    throw new Error(`this process may not open a socket: start it with ${missing.join(" ")}`);
}
