import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../brokers/support/ports.js";

/** For what never comes, in milliseconds. */
const LIMIT_MS = 120_000;
const DEBIAN = "/usr/lib/postgresql";

/** Where Debian has the server's programs, which are not in the path. */
function folderOfPrograms(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  return readdirSync(DEBIAN)
    .map((version) => join(DEBIAN, version, "bin"))
    .find((folder) => existsSync(join(folder, "initdb")));
}

/** Whether the server is here. With `REQUIRE_SERVERS=1` it has to be. */
export function hasPostgres(): boolean {
  if (folderOfPrograms() !== undefined) return true;
  if (process.env.REQUIRE_SERVERS === "1") throw new Error(`there is no PostgreSQL in ${DEBIAN}`);
  return false;
}

/** It refuses to run as root: then it runs as the user that Debian has made for it. */
function identity(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const of = (flag: string) => Number(spawnSync("id", [flag, "postgres"]).stdout);
  return { uid: of("-u"), gid: of("-g") };
}

/** A PostgreSQL of this test's own: a free port of the loopback interface, a socket, and a folder in the temporary one. */
export class PostgresServer {
  /** The other user may not enter every folder. */
  readonly folder = mkdtempSync(join(process.getuid?.() === 0 ? "/tmp" : tmpdir(), "queuescope-pg-"));
  private server: ChildProcess | undefined = undefined;

  private constructor(readonly port: number) {}

  /** Resolves when it takes connections. */
  static async start(): Promise<PostgresServer> {
    const postgres = new PostgresServer((await freePorts(1))[0]!);
    try {
      await postgres.start();
    } catch (error) {
      await postgres.stop();
      throw error;
    }
    return postgres;
  }

  /** For `pg`, as options. */
  get options() {
    return {
      host: "127.0.0.1",
      port: this.port,
      user: "test",
      database: "postgres",
      password: "pass-of-test",
    };
  }

  private async start(): Promise<void> {
    const { folder } = this;
    const who = identity();
    if (who.uid !== undefined) chownSync(folder, who.uid, who.gid!);
    const programs = folderOfPrograms()!;
    const data = join(folder, "data");
    const initdb = ["-D", data, "-U", "test", "-A", "trust", "-N", "--locale=C", "-E", "UTF8"];
    execFileSync(join(programs, "initdb"), initdb, { ...who, cwd: folder, stdio: "pipe" });
    const settings = ["listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`, "fsync=off"];
    const server = spawn(
      join(programs, "postgres"),
      ["-D", data, "-p", `${this.port}`, ...settings.flatMap((setting) => ["-c", setting])],
      { ...who, cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
    );
    this.server = server;
    let output = "";
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`PostgreSQL ${why}:\n${output.slice(-4_000)}`));
      const limit = setTimeout(() => fail("has not started in time"), LIMIT_MS);
      server.stderr!.on("data", (chunk: Buffer) => {
        output += chunk;
        if (!output.includes("database system is ready to accept connections")) return;
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

  /** Ends it, and removes its folder. */
  async stop(): Promise<void> {
    const { server } = this;
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const ended = once(server, "exit");
      // Without waiting for clients, and with all of its processes.
      server.kill("SIGQUIT");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
