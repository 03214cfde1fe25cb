import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./outcome.js";

const RUNNER = fileURLToPath(new URL("./run-cause.ts", import.meta.url));

export interface Run {
  readonly suite: string;
  readonly cause: string;
  readonly execArgv?: readonly string[] | undefined;
  readonly outcome?: Outcome;
}

/** Runs a cause in a process of its own. */
export async function runCause({ suite, cause, execArgv = [] }: Run): Promise<Outcome> {
  const child = fork(RUNNER, [suite, cause], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: [...process.execArgv, ...execArgv],
  });
  let outcome: Outcome | undefined;
  let errors = "";
  child.stderr!.on("data", (data) => {
    errors += data;
  });
  child.on("message", (message) => {
    outcome = message as Outcome;
  });
  const [code] = await once(child, "close");
  if (outcome === undefined) throw new Error(`${suite}, ${cause}: exit code ${code}\n${errors}`);
  return outcome;
}

/** So many at a time. */
export async function inParallel<V>(
  jobs: number,
  values: readonly V[],
  act: (value: V) => Promise<void>,
): Promise<void> {
  const left = [...values];
  const work = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await act(next);
  };
  await Promise.all(Array.from({ length: jobs }, work));
}
