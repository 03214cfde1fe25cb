import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "./ports.js";

/** For what never comes, in milliseconds. */
const LIMIT_MS = 120_000;

/** Whether the server is here. With `REQUIRE_SERVERS=1` it has to be. */
export function hasRedis(): boolean {
  if (spawnSync("redis-server", ["--version"]).status === 0) return true;
  if (process.env.REQUIRE_SERVERS === "1") throw new Error("there is no redis-server in the path");
  return false;
}

/** A Redis of this test's own: a free port of the loopback interface, and a folder in the temporary one. */
export class RedisServer {
  private readonly folder = mkdtempSync(join(tmpdir(), "queuescope-redis-"));
  private server: ChildProcess | undefined = undefined;
  private output = "";

  private constructor(
    readonly port: number,
    private readonly isDurable: boolean,
  ) {}

  /** Resolves when it takes connections. `durable`: it has written all to its folder before it answers; else it keeps nothing. */
  static async start({ durable = false } = {}): Promise<RedisServer> {
    const redis = new RedisServer((await freePorts(1))[0]!, durable);
    try {
      await redis.start();
    } catch (error) {
      await redis.stop();
      throw error;
    }
    return redis;
  }

  /** For BullMQ, as options. */
  get connection(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.port };
  }

  /** Starts it, again if need be, on the same port. */
  async start(): Promise<void> {
    const aof = this.isDurable ? ["--appendonly", "yes", "--appendfsync", "always"] : [];
    const options = [
      "--port",
      `${this.port}`,
      "--bind",
      "127.0.0.1",
      "--dir",
      this.folder,
      "--save",
      "",
      ...aof,
    ];
    this.output = "";
    const server = spawn("redis-server", options, { stdio: ["ignore", "pipe", "pipe"] });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`Redis ${why}:\n${this.output.slice(-4_000)}`));
      const limit = setTimeout(() => fail("has not started in time"), LIMIT_MS);
      server.stdout!.on("data", (chunk: Buffer) => {
        this.output += chunk;
        if (!this.output.includes("Ready to accept connections")) return;
        clearTimeout(limit);
        resolve();
      });
      server.once("error", reject);
      server.once("exit", (code, signal) => {
        clearTimeout(limit);
        fail(`has ended with ${signal ?? code}`);
      });
    });
  }

  /** As a crash does: without a word to anyone. */
  async kill(): Promise<void> {
    const { server } = this;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
  }

  /** It answers nothing, until {@link thaw}; its connections stay. */
  freeze(): void {
    this.server?.kill("SIGSTOP");
  }

  thaw(): void {
    this.server?.kill("SIGCONT");
  }

  /** Ends it, and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
