import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** Below those that systems give to clients. */
const FROM = 10_000;
const COUNT = 20_000;

/**
 * Free ports of the loopback interface, for servers that are killed and come back on the same port. One that the system chooses is among those
 * that it gives to clients, too: a client that tries again and again is given the very port at last, is connected to itself, and the server finds
 * its port taken.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FROM + Math.floor(Math.random() * COUNT);
    const server = createServer();
    try {
      // All stay open until there are enough, so that no two are the same.
      await once(server.listen(port, "127.0.0.1"), "listening");
      servers.push(server);
      ports.push(port);
    } catch {
      // It is taken.
    }
  }
  for (const server of servers) await once(server.close(), "close");
  return ports;
}
