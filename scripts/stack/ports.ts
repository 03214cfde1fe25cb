import { createServer } from "node:net";

/** A port that was asked for, or one that would do as well. */
export interface Wish {
  readonly port: number;
  /** Given on the command line: this one or none. */
  readonly exact: boolean;
}

/** The port of the wish if it is free on loopback; otherwise any free one, unless no other will do. 0 is any free one. */
export async function choosePort({ port, exact }: Wish): Promise<number> {
  try {
    return await freePort(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    if (exact) throw new Error(`Port ${port} is taken. Choose another one, or 0 for any free one.`);
    return await freePort(0);
  }
}

function freePort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
