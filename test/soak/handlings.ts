import { setTimeout as sleep } from "node:timers/promises";
import type { Task } from "../../src/worker/task.js";
import { inThreads, ThreadCrashedError } from "../../src/worker/threads.js";
import type { Dice } from "./dice.js";

/** A failure that was injected. */
export class Mine extends Error {}

/** What a handler does with an item. It says `done()` when it is about to succeed, and fails otherwise. */
export interface Handling {
  readonly name: string;
  /** How often it is chosen, compared with the others. */
  readonly weight: number;
  handle(task: Task, done: () => void, dice: Dice): unknown;
  /** Gives back what it needed, threads say, when the soak is over. */
  close?(): Promise<void>;
}

/** Made when it is first needed, and anew after it was closed. */
let threads: ReturnType<typeof inThreads<string, string>> | undefined;

/** Without the task's signal: its time is over before a thread is there. */
async function inThread(order: string): Promise<void> {
  threads ??= inThreads<string, string>(new URL("./thread.mjs", import.meta.url), { threads: 1, idleMs: 5 });
  try {
    await threads(order);
  } catch (error) {
    if (error instanceof ThreadCrashedError) crashes++;
    throw error;
  }
}

/** How many threads have crashed. */
export let crashes = 0;

async function closeThreads(): Promise<void> {
  await threads?.close();
  threads = undefined;
}

/** Everything that handlers do, good and bad. More of them can be added here. */
export const HANDLINGS: readonly Handling[] = [
  { name: "succeeds at once", weight: 500, handle: (_, done) => done() },
  {
    name: "succeeds in a microtask",
    weight: 300,
    handle: async (_, done) => {
      await undefined;
      done();
    },
  },
  {
    name: "succeeds in a macrotask",
    weight: 60,
    handle: (task, done) =>
      new Promise<void>((resolve) => {
        task.step("wait for the next turn");
        setImmediate(() => {
          task.progress(1);
          done();
          resolve();
        });
      }),
  },
  {
    name: "succeeds after a timer",
    weight: 10,
    handle: async (task, done) => {
      await sleep(1, undefined, { signal: task.signal });
      done();
    },
  },
  {
    name: "returns a thenable",
    weight: 20,
    handle: (_, done) => ({
      // biome-ignore lint/suspicious/noThenProperty: it is one
      then(resolve: () => void) {
        done();
        resolve();
      },
    }),
  },
  {
    name: "returns a thenable that fails, twice",
    weight: 5,
    handle: () => ({
      // biome-ignore lint/suspicious/noThenProperty: it is one
      then(resolve: () => void, reject: (error: unknown) => void) {
        reject(new Mine("a thenable's"));
        resolve();
        throw new Mine("and once more");
      },
    }),
  },
  {
    name: "throws",
    weight: 90,
    handle: () => {
      throw new Mine("thrown");
    },
  },
  {
    name: "throws what is no error",
    weight: 3,
    handle: () => {
      throw undefined;
    },
  },
  {
    name: "rejects",
    weight: 90,
    handle: async () => {
      await undefined;
      throw new Mine("rejected");
    },
  },
  {
    name: "throws aside, and succeeds",
    weight: 3,
    handle: async (_, done) => {
      process.nextTick(() => {
        throw new Mine("aside");
      });
      await undefined;
      done();
    },
  },
  {
    name: "hangs until it is aborted",
    weight: 0.5,
    handle: ({ signal }) =>
      new Promise((_, reject) => {
        if (signal.aborted) reject(signal.reason);
        else signal.addEventListener("abort", () => reject(signal.reason));
      }),
  },
  {
    name: "hangs, and ignores for a while that it is aborted",
    weight: 0.3,
    handle: async (task, done, dice) => {
      const isLucky = dice.hits(0.5);
      await sleep(60);
      task.step("too late");
      if (!isLucky) throw new Mine("too late");
      done();
    },
  },
  {
    name: "works in a thread",
    weight: 0.1,
    handle: async (_, done) => {
      await inThread("work");
      done();
    },
    close: closeThreads,
  },
  { name: "crashes its thread", weight: 0.1, handle: () => inThread("crash") },
  { name: "throws aside in a thread", weight: 0.1, handle: () => inThread("throw aside") },
];
