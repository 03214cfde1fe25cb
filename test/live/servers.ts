import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { it, onTestFinished } from "vitest";

/** Longest wait, in milliseconds, for anything that a live test waits for. */
const PATIENCE_MS = 30_000;
const STOP_MS = 5_000;
const TEST_MS = 90_000;

/**
 * `it` for tests that need a server's program; they get its path. Where it isn't installed they are skipped, saying so
 * in their name, and fail if REQUIRE_SERVERS is 1.
 */
export function itWith(program: string) {
  const path = findProgram(program);
  return (name: string, test: (path: string) => Promise<void>): void => {
    if (path !== undefined) it(name, () => test(path), TEST_MS);
    else if (process.env.REQUIRE_SERVERS !== "1") it.skip(`${name} (${program} is not installed)`);
    else it(name, () => Promise.reject(new Error(`${program} is not installed, and REQUIRE_SERVERS is 1`)));
  };
}

function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A process of the running test, which stops it at its end. */
export class Server {
  private readonly ended: Promise<string>;
  private readonly process: ChildProcess;
  /** All that it has printed. */
  output = "";

  constructor(program: string, args: readonly string[]) {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(String(error)));
      child.once("exit", (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    onTestFinished(async () => {
      await this.stop();
      process.off("exit", kill);
    });
  }

  /** Asks until there is an answer. Rejects, with the server's output, if it ends first or nothing comes. */
  async until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
    let end: string | undefined;
    void this.ended.then((how) => {
      end = how;
    });
    for (const deadline = Date.now() + PATIENCE_MS; end === undefined && Date.now() < deadline; ) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      await sleep(50);
    }
    throw new Error(`no ${what}: ${end ?? `waited ${PATIENCE_MS / 1_000} s`}\n${this.output}`);
  }

  async stop(): Promise<void> {
    const late = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS);
    this.process.kill("SIGTERM");
    await this.ended;
    clearTimeout(late);
  }
}

/** A folder that is gone when the running test has ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "queuescope-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A port on loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
