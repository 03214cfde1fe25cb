import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const children = new Set<ChildProcess>();

/** Whatever a test of the file that imports this has left running. */
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** An example that runs as its reader would run it. */
export class Example {
  /** What it has printed so far, on both streams. */
  readonly lines: string[] = [];
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  private readonly waiting = new Set<() => void>();
  private over = false;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface(stream).on("line", (line) => {
        this.lines.push(line);
        this.look();
      });
    }
    this.exited = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        this.over = true;
        children.delete(child);
        this.look();
        resolve({ code, signal });
      });
    });
  }

  /** Starts `examples/{name}`. */
  static run(name: string, args: readonly string[] = [], env: Record<string, string> = {}): Example {
    if (!existsSync(`${ROOT}dist/index.js`)) {
      throw new Error("examples import the library as it is published: npm run build");
    }
    const clean = Object.entries(process.env).filter(([key]) => !/^(OTEL_|VITEST|NODE_OPTIONS)/.test(key));
    const child = spawn(process.execPath, ["--import", "tsx", `examples/${name}`, ...args], {
      cwd: ROOT,
      env: { ...Object.fromEntries(clean), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(child);
    return new Example(child);
  }

  get output(): string {
    return this.lines.join("\n");
  }

  /** The first line that matches; rejects when the example is over and none did. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = this.lines.map((line) => pattern.exec(line)).find((found) => found !== null);
        if (match === undefined && !this.over) return;
        this.waiting.delete(look);
        if (match !== undefined) resolve(match as RegExpExecArray);
        else reject(new Error(`over, and no line matches ${pattern}:\n${this.output}`));
      };
      this.waiting.add(look);
      look();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  private look(): void {
    for (const look of [...this.waiting]) look();
  }
}
