import { createServer } from "node:net";

/** A port that was asked for, or one that would do as well. */
export interface Wish {
  readonly port: number;
  /** Given on the command line: this one or none. */
  readonly exact: boolean;
}

/** Below those that Linux, macOS and Windows give to programs that ask for any port: between now and its use none of these is given away. */
const FROM = 20_000;
const TO = 32_000;
const TRIES = 100;

/** The port of the wish if it is free on loopback; otherwise any free one, unless no other will do. 0 is any free one. */
export async function choosePort({ port, exact }: Wish): Promise<number> {
  if (port === 0) return freePort();
  if (await isFree(port)) return port;
  if (exact) throw new Error(`Port ${port} is taken. Choose another one, or 0 for any free one.`);
  return freePort();
}

/** A port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM));
    if (await isFree(port)) return port;
  }
  throw new Error(`No port was free, of ${TRIES} between ${FROM} and ${TO}.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    });
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
