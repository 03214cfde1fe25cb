import { type Answers, askFor } from "./ask.js";
import { type DevTools, within } from "./devtools.js";
import { type Found, findSuspended } from "./find.js";
import { type AwaitTask, forestOf } from "./forest.js";
import type { HeapGraph } from "./heap-graph.js";
import { idIn } from "./labels.js";
import { originOf, Scripts } from "./places.js";
import { SnapshotParser } from "./snapshot-parser.js";
import { inWords, sourcesOf } from "./sources.js";
import type { Suspended } from "./suspended.js";

/** Raised when a member changes its meaning or goes. */
const VERSION = 1;
const GROUP = "queuescope";
/** How long the process may take to stop, in milliseconds. */
const PAUSE_MS = 1_000;
/** How long functions that are alike may be asked for their places, in milliseconds, where the process stands still meanwhile, and where it stops for each. */
const ASKING_MS = { held: 500, free: 2_000 };

/** Where each task of a process waits. What it says is a contract, by version. */
export interface AwaitTree {
  readonly version: number;
  /** When it was seen, in epoch milliseconds. */
  readonly at: number;
  /** How large the heap was, in bytes, and for how long the process stood still, in milliseconds. */
  readonly heapBytes: number;
  readonly stoodStillMs: number;
  /** How many functions were asked for their place; the others are like one of those. */
  readonly asked: number;
  /** Tasks that wait at the same places are one, the most frequent first. */
  readonly tasks: readonly AwaitTask[];
  /** How many functions of Node and of packages are left out. */
  readonly folded: number;
  /** How many functions went on meanwhile. */
  readonly leftOut: number;
  /** How many worker threads the process has, which are not looked into. */
  readonly threads: number;
}

export interface TreeOptions {
  /** Also functions of Node and of packages. */
  readonly all: boolean;
  /** What the correlation ID may be called in an async context, the first one first. */
  readonly idNames: readonly string[];
  /** Of the process, as {@link heapBytes} gave it. */
  readonly heapBytes: number;
  /** Whether the process may be stopped for all of it, which another debugger would see; else for the snapshot, and for each question. */
  readonly mayPause: boolean;
  /** Where the files of the process are, as this process sees them. Default: where they are. */
  readonly root?: string | undefined;
}

/** How much of the process's heap is in use, in bytes. */
export async function heapBytes(devTools: DevTools): Promise<number> {
  return (await devTools.post("Runtime.getHeapUsage")).usedSize;
}

/** For how long a process stands still per MB of its heap where the machine does nothing else, in milliseconds, with places to ask for at 20 lines. */
const MS_PER_MB = 70;
/** How long what `slowness` does takes there, in milliseconds. */
const USUAL_MS = 2;

/** For about how long a process with such a heap stands still on this machine, as busy as that is now, in milliseconds. */
export function standStillMs(bytes: number): number {
  return (100 + (bytes / 2 ** 20) * MS_PER_MB) * slowness();
}

/** How much slower work is now than on a machine that does nothing else: 1 or more. Of a few looks the middle one, as any may be interrupted for long. */
function slowness(): number {
  const looks = Array.from({ length: 7 }, () => {
    const began = performance.now();
    let sum = 0;
    for (let i = 0; i < 2_000_000; i++) sum = (sum + i) | 0;
    // The sum is used: else V8 might leave the loop out.
    return performance.now() - began + (sum & 0);
  });
  return Math.max(1, looks.sort((a, b) => a - b)[3]! / USUAL_MS);
}

/**
 * Stops the process until that is released: else tasks go on between the snapshot and the question where they stand. Undefined where it can't be stopped.
 * Whatever becomes of the session, the process goes on when that ends.
 */
async function held(devTools: DevTools): Promise<{ release(): Promise<number> } | undefined> {
  let stopListening = () => {};
  const paused = new Promise<void>((resolve) => {
    stopListening = devTools.on("Debugger.paused", () => resolve());
  });
  const began = performance.now();
  // Where the event loop is idle no code runs that could be paused, so some does.
  devTools.post("Runtime.evaluate", { expression: "debugger" }).catch(ignore);
  const isHeld = await within(PAUSE_MS, paused);
  const resume = () => devTools.post("Debugger.resume").catch(ignore);
  void paused.then(stopListening);
  if (!isHeld) {
    // Should it come later.
    void paused.then(resume);
    return undefined;
  }
  return {
    async release() {
      await resume();
      return Math.round(performance.now() - began);
    },
  };
}

/** Looks at the heap of a process, which stands still meanwhile. */
export async function awaitTree(devTools: DevTools, options: TreeOptions): Promise<AwaitTree> {
  const scripts = new Scripts(options.root);
  const stopListening = scripts.listen(devTools);
  try {
    await devTools.post("Debugger.enable");
    const at = Date.now();
    const hold = options.mayPause ? await held(devTools) : undefined;
    const { graph, tookMs } = await snapshot(devTools);
    const found = findSuspended(graph);
    const isWanted = ({ script }: Found) => options.all || originOf(script) === "own";
    const budgetMs = Math.max(hold === undefined ? ASKING_MS.free : ASKING_MS.held, tookMs);
    const answers = await askFor(devTools, scripts, found, isWanted, budgetMs, GROUP);
    const stoodStillMs = hold === undefined ? tookMs : await hold.release();
    const suspended = suspendedFrom(graph, found, answers, options.idNames);
    const threads = await threadsOf(devTools);
    const { tasks, folded, leftOut } = forestOf(suspended, options.all);
    const { heapBytes } = options;
    const { asked } = answers;
    return { version: VERSION, at, heapBytes, stoodStillMs, asked, tasks, folded, leftOut, threads };
  } finally {
    stopListening();
    devTools.post("Runtime.releaseObjectGroup", { objectGroup: GROUP }).catch(ignore);
    devTools.post("Debugger.disable").catch(ignore);
  }
}

async function snapshot(devTools: DevTools) {
  const parser = new SnapshotParser();
  let failure: unknown;
  const stopListening = devTools.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => {
    try {
      if (failure === undefined) parser.push(chunk);
    } catch (error) {
      failure = error;
    }
  });
  const began = performance.now();
  try {
    await devTools.post("HeapProfiler.takeHeapSnapshot", {
      reportProgress: false,
      captureNumericValue: true,
    });
  } finally {
    stopListening();
  }
  const tookMs = Math.round(performance.now() - began);
  if (failure !== undefined) throw failure;
  return { graph: parser.finish(), tookMs };
}

/** What is told of each of those that were found. */
function suspendedFrom(
  graph: HeapGraph,
  found: readonly Found[],
  { answers }: Answers,
  idNames: readonly string[],
): Suspended[] {
  const ids = new Map<number, string | undefined>();
  const idOf = (store: number) => {
    if (!ids.has(store)) ids.set(store, idIn(graph, store, idNames));
    return ids.get(store);
  };
  const isAwaiting = new Set(found.flatMap(({ awaitedBy }) => awaitedBy));
  const leaves = found.flatMap(({ awaits }, index) =>
    awaits === undefined || isAwaiting.has(index) ? [] : [awaits],
  );
  const sources = sourcesOf(graph, new Set(leaves));
  return found.map(({ name, owner, script, awaitedBy, stores, awaits }, index) => {
    const answer = answers[index];
    const source = awaits === undefined ? undefined : sources.get(awaits);
    return {
      name:
        name === ""
          ? answer?.isTopLevel
            ? "(top level)"
            : "(anonymous)"
          : `${owner === undefined ? "" : `${owner}.`}${name}`,
      place: answer?.place,
      script,
      awaitedBy,
      correlationId: stores.map(idOf).find((id) => id !== undefined),
      waitsFor: source && inWords(graph, source),
    };
  });
}

async function threadsOf(devTools: DevTools): Promise<number> {
  let threads = 0;
  const stopListening = devTools.on("NodeWorker.attachedToWorker", () => threads++);
  try {
    await devTools.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
    await devTools.post("NodeWorker.disable");
  } catch {
    // Another runtime, or not the main thread.
  } finally {
    stopListening();
  }
  return threads;
}

function ignore(): void {}
