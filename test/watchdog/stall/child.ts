import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const children = new Set<ChildProcess>();

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** A process whose lines are read as they come. */
export class Child {
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly over: Promise<number | null>;
  private readonly looks = new Set<() => void>();
  private isOver = false;

  constructor(readonly process: ChildProcess) {
    children.add(process);
    for (const [stream, lines] of [
      [process.stdout!, this.out],
      [process.stderr!, this.err],
    ] as const) {
      createInterface(stream).on("line", (line) => {
        lines.push(line);
        this.look();
      });
    }
    this.over = new Promise((resolve) => {
      process.on("close", (code) => {
        this.isOver = true;
        children.delete(process);
        this.look();
        resolve(code);
      });
    });
  }

  static run(args: readonly string[]): Child {
    const clean = Object.entries(process.env).filter(([key]) => !/^(OTEL_|VITEST|NODE_OPTIONS)/.test(key));
    const env = Object.fromEntries(clean);
    return new Child(spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["pipe", "pipe", "pipe"] }));
  }

  /** The first line, of either stream, that matches; rejects when the process is over and none did. */
  line(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const line = [...this.out, ...this.err].find((each) => pattern.test(each));
        if (line === undefined && !this.isOver) return;
        this.looks.delete(look);
        if (line !== undefined) resolve(line);
        else reject(new Error(`no line matches ${pattern}:\n${[...this.out, ...this.err].join("\n")}`));
      };
      this.looks.add(look);
      look();
    });
  }

  /** What the program has said of it, parsed. */
  said(what: string): unknown[] {
    const lines = this.out.filter((line) => line.startsWith(`${what} `));
    return lines.map((line) => JSON.parse(line.slice(what.length + 1)));
  }

  private look(): void {
    for (const look of [...this.looks]) look();
  }
}
