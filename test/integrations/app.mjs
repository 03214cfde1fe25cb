// A recipe's app as a process of its own, in the project that is the current folder.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Nothing here takes so long; a limit is for what never comes. */
const LIMIT_MS = 120_000;
/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export class App {
  lines = [];
  #waiting = new Set();
  #child;

  /** @param {string[]} args of Node's @param {Record<string, string>} env on top of ours */
  constructor(args, env = {}) {
    this.#child = spawn(process.execPath, args, {
      env: { ...process.env, PORT: "0", METRICS_PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface(stream).on("line", (line) => {
        this.lines.push(line);
        for (const look of [...this.#waiting]) look();
      });
    }
    this.exited = new Promise((resolve) => {
      this.#child.on("close", (code, signal) => {
        children.delete(this.#child);
        this.isOver = true;
        for (const look of [...this.#waiting]) look();
        resolve(code ?? signal);
      });
    });
  }

  /** The first line that matches; rejects when the process is over, or nothing comes. */
  line(pattern) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => end(reject, new Error(`nothing matches ${pattern} in:\n${this.output}`)),
        LIMIT_MS,
      );
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle(value);
      };
      const look = () => {
        const match = this.lines.map((line) => pattern.exec(line)).find((found) => found !== null);
        if (match != null) end(resolve, match);
        else if (this.isOver)
          end(reject, new Error(`over, and nothing matches ${pattern} in:\n${this.output}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Where it listens. */
  async url() {
    return (await this.line(/listening at (http:\/\/127\.0\.0\.1:\d+)/i))[1];
  }

  async metricsUrl() {
    return (await this.line(/metrics at (http:\/\/127\.0\.0\.1:\d+\/metrics)/))[1];
  }

  /** Its log lines of that message, if it logs JSON. */
  logged(message) {
    return this.lines
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === message);
  }

  kill(signal) {
    this.#child.kill(signal);
  }

  /** Told to stop, it must end by itself and say that all is well. */
  async stop(signal = "SIGTERM") {
    this.kill(signal);
    const timer = setTimeout(() => this.kill("SIGKILL"), LIMIT_MS);
    const code = await this.exited;
    clearTimeout(timer);
    assert.equal(code, 0, this.output);
  }

  get output() {
    return this.lines.join("\n");
  }
}

/** Runs a command of the project, such as `npm run build`, to its end; gives what it printed. */
export async function run(command, ...args) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.on("close", resolve));
  children.delete(child);
  assert.equal(code, 0, output);
  return output;
}
