import { basename } from "node:path";
import { inspect } from "node:util";
import { type FrameList, OVER, RUNTIME, type TaskFrame } from "./frame-list.js";
import { placesIn } from "./places.js";
import { taskLinkOf } from "./task-notes.js";
import type { AwaitBranch, AwaitFrame } from "./wait.js";

/** How many branches of a task are told. */
export const MAX_BRANCHES = 10;
/** The innermost and the outermost are kept of a branch that has more frames. */
export const MAX_DEPTH = 20;

/** Whether `queuescope/frames` is loaded in this process, or code that a bundler has transformed. */
export function areFramesOn(): boolean {
  return RUNTIME in globalThis;
}

/**
 * The branches of the task's tree, the oldest first, at most ten that differ. Empty where nothing is known: frames aren't on, the task began
 * while no watchdog ran, or none of its async functions was transformed.
 */
export function branchesOf(task: object): readonly AwaitBranch[] {
  const list = taskLinkOf(task)?.notes.frames;
  return list === undefined ? [] : branchesIn(list);
}

/** `chargeCard billing.ts:88 < handleOrder orders.ts:31` */
export function branchInWords({ frames }: AwaitBranch): string {
  return frames
    .map(({ functionName, file, line }) => `${functionName ?? "anonymous"} ${basename(file)}:${line}`)
    .join(" < ");
}

function branchesIn(list: FrameList): AwaitBranch[] {
  const open = new Map<TaskFrame, boolean>();
  const frames: TaskFrame[] = [];
  for (let frame = list.oldest; frame !== undefined; frame = frame.newer) {
    // Those that called it are older.
    const parent = callerOf(frame);
    const isOpen = isPending(frame) && (parent === undefined || (open.get(parent) ?? true));
    open.set(frame, isOpen);
    if (isOpen) frames.push(frame);
  }
  const parents = new Set(frames.map(callerOf));
  const branches = new Map<string, { count: number; frames: readonly AwaitFrame[] }>();
  for (const frame of frames) {
    if (parents.has(frame)) continue;
    const path = pathTo(frame);
    const key = path.map(({ place, site }) => `${site} ${place}`).join("\0");
    const known = branches.get(key);
    if (known !== undefined) known.count++;
    else if (branches.size < MAX_BRANCHES) branches.set(key, { count: 1, frames: path.map(shownFrame) });
  }
  return [...branches.values()];
}

/** Whether what it has returned is pending, where that must be asked: only `inspect` tells without listening to it. Collected, it can never settle. */
function isPending({ returned }: TaskFrame): boolean {
  const promise = returned?.deref();
  return promise === undefined || /\{\s*<pending>/.test(inspect(promise, { depth: 0, customInspect: false }));
}

/** A function that has ended awaits nothing: what it left running is a root. */
function callerOf({ parent }: TaskFrame): TaskFrame | undefined {
  return parent === undefined || parent.state === OVER ? undefined : parent;
}

function pathTo(leaf: TaskFrame): TaskFrame[] {
  const path: TaskFrame[] = [];
  for (let frame: TaskFrame | undefined = leaf; frame !== undefined; frame = callerOf(frame))
    path.push(frame);
  if (path.length > MAX_DEPTH) path.splice(MAX_DEPTH / 2, path.length - MAX_DEPTH);
  return path;
}

function shownFrame({ place, site }: TaskFrame): AwaitFrame {
  const { file, functionName, sites } = placesIn(place);
  const [line, column] = sites[site] ?? sites[0]!;
  return { functionName, file, line, column };
}
