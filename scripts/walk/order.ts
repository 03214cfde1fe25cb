import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Called } from "./coverage.js";

/** The functions in the order in which `walk` first comes to them; those that it doesn't come to are last. */
export async function inOrder(called: readonly Called[], walk: () => Promise<void>): Promise<Called[]> {
  const thread = new Worker(new URL("./pauses.mjs", import.meta.url), {
    workerData: { places: called.map(({ url, line, column }) => ({ url, line, column })) },
    execArgv: [],
  });
  await once(thread, "message");
  await walk();
  thread.postMessage("over");
  const [met] = (await once(thread, "message")) as [number[]];
  return [...new Set([...met, ...called.keys()])].map((index) => called[index]!);
}
