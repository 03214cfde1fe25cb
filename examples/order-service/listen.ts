import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Listens on loopback only; returns the URL. */
export async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
