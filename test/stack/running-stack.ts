import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { inRepository } from "../../scripts/stack/repository.js";
import { type Lifetime, temporaryFolder } from "../live/server.js";
import { until } from "../live/until.js";

export const ANY_PORTS = [
  "port",
  "metrics-port",
  "prometheus-port",
  "alertmanager-port",
  "grafana-port",
].flatMap((name) => [`--${name}`, "0"]);

/** `npm run stack`, without the build. */
export class RunningStack {
  /** All that it has printed. */
  output = "";
  /** With its exit code. */
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;
  private readonly temporary: string;

  constructor(lifetime: Lifetime, args: readonly string[] = ANY_PORTS, env: NodeJS.ProcessEnv = {}) {
    this.temporary = temporaryFolder(lifetime);
    this.child = spawn(process.execPath, ["--import", "tsx", "scripts/stack/main.ts", ...args], {
      cwd: inRepository("."),
      env: { ...process.env, TMPDIR: this.temporary, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", resolve);
    });
    lifetime(() => {
      this.child.kill();
      return this.ended;
    });
  }

  /** The rows that it prints once everything is ready, by their first words. */
  async rows(): Promise<ReadonlyMap<string, string>> {
    const lines = await until(
      () => `rows:\n${this.output}`,
      () =>
        /^Below /m.test(this.output) || this.child.exitCode !== null ? this.output.split("\n") : undefined,
    );
    return new Map(lines.map((line) => [line.slice(0, 13).trim(), line.slice(14)]));
  }

  /** What it keeps for as long as it runs. */
  get folders(): string[] {
    return readdirSync(this.temporary).filter((name) => name.startsWith("queuescope-"));
  }

  stop(): void {
    this.child.kill("SIGTERM");
  }
}
