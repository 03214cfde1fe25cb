import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.js";

/** How long a server may take to end by itself. */
export const STOP_MS = 20_000;

/** Takes what is to be done at the end of whatever it belongs to, mostly a test: a server lives no longer. */
export type Lifetime = (end: () => unknown) => void;

/** These tests may be ended early, and their servers must not stay behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A process, for as long as its lifetime. */
export class Server {
  private readonly ended: Promise<string>;
  private readonly process: ChildProcess;
  private end: string | undefined;
  /** All that it has printed. */
  output = "";

  constructor(lifetime: Lifetime, program: string, args: readonly string[]) {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.ended = new Promise((resolve) => {
      const ended = (how: string) => {
        this.end = how;
        resolve(how);
      };
      child.once("error", (error) => ended(String(error)));
      child.once("exit", (code, signal) => ended(`it ended with ${signal ?? `exit code ${code}`}`));
    });
    running.add(child);
    lifetime(() => this.stop());
    void this.ended.then(() => running.delete(child));
  }

  /** Asks until there is an answer. Rejects, with the server's output, if it ends first or nothing comes. */
  async until<T>(
    what: string,
    ask: () => T | undefined | Promise<T | undefined>,
    patienceMs?: number,
  ): Promise<T> {
    const asked = () => {
      if (this.end !== undefined) throw new Error(`waited for ${what}, and ${this.end}`);
      return ask();
    };
    try {
      return await until(what, asked, patienceMs);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.output}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    const late = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS);
    this.process.kill("SIGTERM");
    await this.ended;
    clearTimeout(late);
  }

  /** At once, as a crash would. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.ended;
  }
}

/** A folder for a lifetime. */
export function temporaryFolder(lifetime: Lifetime): string {
  const folder = mkdtempSync(join(tmpdir(), "queuescope-"));
  lifetime(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
