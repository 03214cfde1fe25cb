import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, it } from "vitest";
import { findProgram } from "../../scripts/stack/find-program.js";
import { until } from "./until.js";

const STOP_MS = 20_000;
const TEST_MS = 300_000;
/** More than a server takes that has to be killed. */
const END_MS = 4 * STOP_MS;

/** Takes what is to be done at the end of whatever it belongs to, mostly a test: a server lives no longer. */
export type Lifetime = (end: () => unknown) => void;

/** Lasts until all tests of the file have ended. What came last ends first. */
export function lifetimeOfFile(): Lifetime {
  const ends: (() => unknown)[] = [];
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  }, END_MS);
  return (end) => ends.push(end);
}

export interface LiveTest<Program extends string> {
  /** Where the programs are. */
  readonly paths: Readonly<Record<Program, string>>;
  readonly lifetime: Lifetime;
}

export interface LiveOptions {
  /** Longest time that the test may take, in milliseconds. Default: 300 000. */
  timeoutMs?: number;
  /** May it run beside the others of its file that say so, too? Default: false. */
  concurrent?: boolean;
}

/**
 * `it` for tests that need servers' programs; they get their paths. Where one isn't installed they are skipped, saying so
 * in their name, and fail if REQUIRE_SERVERS is 1, but for those that SKIP_SERVERS names.
 */
export function itWith<Program extends string>(...programs: readonly Program[]) {
  const found = programs.map((name) => [name, findProgram(name)] as const);
  const missing = found.flatMap(([name, path]) => (path === undefined ? [name] : []));
  const paths = Object.fromEntries(found) as Record<Program, string>;
  const forgone = (process.env.SKIP_SERVERS ?? "").split(" ");
  const why = `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not installed`;
  return (
    name: string,
    test: (live: LiveTest<Program>) => Promise<void>,
    options: LiveOptions = {},
  ): void => {
    const { timeoutMs = TEST_MS, concurrent = false } = options;
    if (missing.length === 0) {
      // Tests that run side by side must each say for themselves that they have ended.
      it(name, { timeout: timeoutMs, concurrent }, ({ onTestFinished }) =>
        test({ paths, lifetime: (end) => onTestFinished(async () => void (await end()), END_MS) }),
      );
    } else if (process.env.REQUIRE_SERVERS !== "1" || missing.every((name) => forgone.includes(name))) {
      it.skip(`${name} (${why})`);
    } else {
      it(name, () => Promise.reject(new Error(`${why}, and REQUIRE_SERVERS is 1`)));
    }
  };
}

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
