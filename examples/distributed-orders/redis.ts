import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether Redis is installed. */
export function isRedisInstalled(): boolean {
  return spawnSync("redis-server", ["--version"]).status === 0;
}

/** A Redis of this demo's own, on a free port of the loopback interface. It writes all down before it answers, so that nothing is lost with it. */
export class Redis {
  private readonly folder = mkdtempSync(join(tmpdir(), "distributed-orders-"));
  private server: ChildProcess | undefined = undefined;

  private constructor(readonly port: number) {}

  static async start(): Promise<Redis> {
    const redis = new Redis(await freePort());
    await redis.start();
    return redis;
  }

  /** Begins, or goes on after a {@link kill}; resolves when it takes connections. */
  async start(): Promise<void> {
    const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
    const place = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.folder];
    const server = spawn("redis-server", [...place, ...durable], { stdio: ["ignore", "pipe", "inherit"] });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      let output = "";
      server.stdout.on("data", (data) => {
        output += data;
        if (output.includes("Ready to accept connections")) resolve();
      });
      server.once("exit", () => reject(new Error(`Redis has ended:\n${output}`)));
    });
  }

  /** As a machine dies. */
  async kill(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    server.removeAllListeners("exit");
    server.kill("SIGKILL");
    await once(server, "exit");
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Below those that the system gives to clients: one that tries to reach a server that is away would be connected to itself at last, and keep the port. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    try {
      await once(server.listen(port, "127.0.0.1"), "listening");
    } catch {
      continue;
    }
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
