import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Longest time to be ready, in milliseconds. */
const START_MS = 60_000;
const LAST_LINES = 15;

export interface Command {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The file that gets its output. */
  readonly log: string;
  readonly cwd?: string;
}

/** A process that we have started, and that we stop: by its ID, never by its name. */
export class Child {
  readonly name: string;
  /** How it ended, in words. */
  readonly ended: Promise<string>;
  private end: string | undefined;
  private readonly process: ChildProcess;

  constructor(private readonly command: Command) {
    this.name = command.name;
    const log = openSync(command.log, "a");
    this.process = spawn(command.program, command.args, {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...command.env },
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      // A group of its own: Ctrl+C is for us, and each gets one signal, in order.
      detached: true,
    });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      const ended = (how: string) => {
        this.end = how;
        resolve(how);
      };
      this.process.once("error", (error) => ended(`could not be started (${error.message})`));
      this.process.once("exit", (code, signal) => ended(`has ended (${signal ?? `exit code ${code}`})`));
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Resolves as soon as the URL answers. Rejects, with the last lines of its log, if it ends first or takes too long. */
  async answersAt(url: string): Promise<void> {
    for (const deadline = Date.now() + START_MS; Date.now() < deadline; await sleep(50)) {
      if (this.end !== undefined) throw new Error(`${this.name} ${this.end}:\n${this.lastLines()}`);
      const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return;
    }
    throw new Error(`${this.name} is not ready after ${START_MS / 1_000} s:\n${this.lastLines()}`);
  }

  lastLines(): string {
    return readFileSync(this.command.log, "utf8").trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  }

  /** Gives it so many milliseconds to end by itself. */
  async stop(graceMs: number): Promise<void> {
    if (this.end !== undefined) return;
    this.process.kill("SIGTERM");
    const late = setTimeout(() => this.kill(), graceMs);
    await this.ended;
    clearTimeout(late);
  }

  kill(): void {
    if (this.end === undefined) this.process.kill("SIGKILL");
  }
}
