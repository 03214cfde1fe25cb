import type { DevTools } from "./devtools.js";
import { type Found, findSuspended } from "./find.js";
import { type AwaitTask, forestOf } from "./forest.js";
import { idsOf } from "./labels.js";
import { Scripts } from "./places.js";
import { SnapshotParser } from "./snapshot-parser.js";
import type { Place, Suspended } from "./suspended.js";

/** Raised when a member changes its meaning or goes. */
const VERSION = 1;
/** Beyond so many suspended functions no further one is asked for its place: each takes the process some 0.1 ms. */
const MAX_PLACES = 10_000;
/** How many are asked for at a time. */
const AT_ONCE = 64;
const GROUP = "queuescope";

/** Where each task of a process waits. What it says is a contract, by version. */
export interface AwaitTree {
  readonly version: number;
  /** When it was seen, in epoch milliseconds. */
  readonly at: number;
  /** How large the heap was, in bytes, and for how long the process stood still, in milliseconds. */
  readonly heapBytes: number;
  readonly stoodStillMs: number;
  /** Tasks that wait at the same places are one, the most frequent first. */
  readonly tasks: readonly AwaitTask[];
  /** How many functions of Node and of packages are left out. */
  readonly folded: number;
  /** How many functions went on meanwhile, or were too many to be asked for. */
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
  /** Where the files of the process are, as this process sees them. Default: where they are. */
  readonly root?: string | undefined;
}

/** How much of the process's heap is in use, in bytes. */
export async function heapBytes(devTools: DevTools): Promise<number> {
  return (await devTools.post("Runtime.getHeapUsage")).usedSize;
}

/** For about how long a process with such a heap stands still, in milliseconds. */
export function standStillMs(bytes: number): number {
  return 50 + (bytes / 2 ** 20) * 30;
}

/** Looks at the heap of a process, which stands still meanwhile. */
export async function awaitTree(devTools: DevTools, options: TreeOptions): Promise<AwaitTree> {
  const scripts = new Scripts(options.root);
  const stopListening = scripts.listen(devTools);
  try {
    await devTools.post("Debugger.enable");
    const at = Date.now();
    const { graph, stoodStillMs } = await snapshot(devTools);
    const found = findSuspended(graph);
    const stores = new Set(found.flatMap((each) => each.stores));
    const ids = await idsOf(devTools, graph, stores, options.idNames, GROUP);
    const { suspended, leftOut } = await placed(devTools, scripts, found, ids);
    const threads = await threadsOf(devTools);
    const { tasks, folded } = forestOf(suspended, options.all);
    const { heapBytes } = options;
    return { version: VERSION, at, heapBytes, stoodStillMs, tasks, folded, leftOut, threads };
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
      captureNumericValue: false,
    });
  } finally {
    stopListening();
  }
  const stoodStillMs = Math.round(performance.now() - began);
  if (failure !== undefined) throw failure;
  return { graph: parser.finish(), stoodStillMs };
}

/** Asks for the places. */
async function placed(
  devTools: DevTools,
  scripts: Scripts,
  found: readonly Found[],
  ids: ReadonlyMap<number, string>,
) {
  const suspended: Suspended[] = [];
  let leftOut = Math.max(0, found.length - MAX_PLACES);
  const ask = async (index: number) => {
    const { heapId, name, awaitedBy, stores } = found[index]!;
    const seen = index < MAX_PLACES ? await placeOf(devTools, scripts, heapId) : undefined;
    if (seen === undefined && index < MAX_PLACES) leftOut++;
    const owner = seen?.owner === undefined ? "" : `${seen.owner}.`;
    const store = stores.find((each) => ids.has(each));
    suspended[index] = {
      name: owner + name,
      place: seen?.place,
      awaitedBy,
      correlationId: store === undefined ? undefined : ids.get(store),
      waitsFor: undefined,
    };
  };
  let next = 0;
  const askers = Array.from({ length: AT_ONCE }, async () => {
    while (next < found.length) await ask(next++);
  });
  await Promise.all(askers);
  return { suspended, leftOut };
}

interface Property {
  readonly name: string;
  readonly value?: { readonly value?: unknown; readonly className?: string };
}

interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber?: number;
}

/** Undefined where the function has gone on to its end. */
async function placeOf(
  devTools: DevTools,
  scripts: Scripts,
  heapId: number,
): Promise<{ place: Place; owner: string | undefined } | undefined> {
  try {
    const { result } = await devTools.post("HeapProfiler.getObjectByHeapObjectId", {
      objectId: String(heapId),
      objectGroup: GROUP,
    });
    const { objectId } = result;
    const { internalProperties = [] } = await devTools.post("Runtime.getProperties", {
      objectId,
      ownProperties: true,
    });
    const value = (name: string) =>
      (internalProperties as Property[]).find((each) => each.name === name)?.value;
    if (value("[[GeneratorState]]")?.value !== "suspended") return undefined;
    const at = value("[[GeneratorLocation]]")?.value as Location | undefined;
    const place = at && scripts.placeOf(at.scriptId, at.lineNumber, at.columnNumber ?? 0);
    return place && { place, owner: ownerNamed(value("[[GeneratorReceiver]]")?.className) };
  } catch {
    return undefined;
  }
}

/** The class of `this`, where that says something. */
function ownerNamed(className: string | undefined): string | undefined {
  return className === undefined || /^(Object|global|Function|Module|Array|)$/.test(className)
    ? undefined
    : className;
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
