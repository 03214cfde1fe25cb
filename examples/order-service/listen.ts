import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Who listens everywhere is reached here, too. */
const EVERYWHERE: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Returns the URL under which it can be reached from this machine. */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  const address = EVERYWHERE[host] ?? host;
  const name = address.includes(":") ? `[${address}]` : address;
  return `http://${name}:${(server.address() as AddressInfo).port}`;
}
