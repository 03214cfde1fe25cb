import { basename } from "node:path";
import { shown } from "../../base/shown.js";
import { areFramesOn } from "../../waits/frames.js";
import { type AwaitBranch, type AwaitFrame, type CallSite, HINTS } from "../../waits/wait.js";
import { count, duration, waitWords } from "../checks/format.js";
import type { TaskGroup, TaskNow, WaitNow } from "../situation.js";

/** How many groups of tasks the text shows, and how many tasks of each by their correlation ID. */
const MAX_GROUPS = 5;
const MAX_IDS = 3;
/** Beyond this column no further ID is shown. */
const MAX_COLUMNS = 120;
/** How many functions of a task the text shows, the innermost first. */
const MAX_FRAMES = 4;
/** How many branches of a task beside its first. */
const MAX_BRANCHES = 3;
/** In characters. */
const MAX_LABEL = 120;

/** What is said of a pool's connection in any case. */
const POOL_STATE = "waiting for a connection";

const HINT = "     to know what an unknown wait is for: await waitFor(label, promise) in the handler";
const HINT_OF_FRAMES = `${HINT}, or at which line it is: node --import queuescope/frames`;

/** A task in flight, as a report shows it. */
export type TaskReport = Omit<TaskNow, "facts">;

/** Tasks in flight that wait for the same, at the same place, as a report shows them. */
export interface TaskGroupReport {
  /** What they wait for; undefined where unknown. */
  readonly kind: string | undefined;
  readonly label: string | undefined;
  /** Where their async functions stand, the oldest branch first; undefined where that is not known. */
  readonly branches?: readonly AwaitBranch[] | undefined;
  /** How many tasks that are, where the report had no room for all of them. */
  readonly count?: number | undefined;
  /** The one that has waited longest comes first. */
  readonly tasks: readonly TaskReport[];
}

/**
 * One group for each place at which tasks stand, and for those that have no connection yet, or nothing but a hint. Causes go by what they
 * wait for alone, wherever that is.
 */
export function groupReports({ kind, label, tasks }: TaskGroup): TaskGroupReport[] {
  const places = new Map<string, TaskNow[]>();
  for (const task of tasks) {
    const isOf = (wait: WaitNow) => (kind === undefined ? HINTS.has(wait.kind) : wait.kind === kind);
    const wait = task.waits.findLast(isOf);
    const isApart = kind === undefined ? wait?.kind : wait?.state === POOL_STATE;
    const place = JSON.stringify([task.branches?.map(({ frames }) => frames), isApart]);
    const same = places.get(place);
    if (same === undefined) places.set(place, [task]);
    else same.push(task);
  }
  return [...places.values()].map((same) => ({
    kind,
    label,
    branches: same[0]!.branches?.length ? same[0]!.branches : undefined,
    // They are the same for all of them.
    tasks: same.map(({ facts: _, branches: __, ...task }) => task),
  }));
}

/** Groups of tasks for a terminal, a few lines each. */
export function groupLines(groups: readonly TaskGroupReport[]): string[] {
  const lines = groups.slice(0, MAX_GROUPS).flatMap(linesOf);
  const rest = groups.slice(MAX_GROUPS).reduce((sum, group) => sum + countOf(group), 0);
  if (rest > 0) lines.push(`     and ${count(rest, "task")} that wait for something else`);
  return lines;
}

/** What would tell more, where it isn't known what tasks wait for. */
export function hintLines(groups: readonly TaskGroupReport[]): string[] {
  const isUnknown = groups.some(({ label, tasks }) => label === undefined && tasks.some(isWorthAHint));
  return isUnknown ? [areFramesOn() ? HINT : HINT_OF_FRAMES] : [];
}

/** How many tasks it has, listed or not. */
export function countOf({ count: all, tasks }: TaskGroupReport): number {
  return all ?? tasks.length;
}

/** Whether it is more than young: of a task that ends in a moment it doesn't matter what it waits for. */
function isWorthAHint({ runningMs, isOver, waits, neverResumes }: TaskReport): boolean {
  return (
    isOver !== true &&
    neverResumes !== true &&
    waits.length === 0 &&
    runningMs !== undefined &&
    runningMs >= MIN_HINT_MS
  );
}

const MIN_HINT_MS = 1_000;

function linesOf(group: TaskGroupReport): string[] {
  const { kind, label, tasks, branches = [] } = group;
  const [oldest] = tasks;
  const wait = oldest?.waits.findLast((each) => each.kind === kind);
  const n = countOf(group);
  const what =
    label === undefined ? `wait unknown${hintInWords(oldest)}` : waitWords(kind, shown(label, MAX_LABEL));
  const state =
    wait?.state === undefined || (kind === "connection" && wait.state === POOL_STATE)
      ? ""
      : `, "${shown(wait.state)}"`;
  const place = branches[0] === undefined ? "" : `${framesInWords(branches[0].frames)}, `;
  const lost = tasks.filter(({ neverResumes }) => neverResumes);
  const fate = lost.length > 0 && lost.length === tasks.length ? ", can never resume" : "";
  const line = `${n}x ${place}${what}${state}${useInWords(wait ?? {})}${lasting(wait, oldest, n)}${fate}   `;
  const lines = [withIds(line, tasks), ...otherBranches(branches)];
  if (wait?.holders !== undefined && wait.holders.length > 0)
    lines.push(heldInWords(wait.kind, wait.holders));
  if (lost.length > 0 && fate === "") lines.push(withIds(`     ${lost.length} can never resume:   `, lost));
  return [...lines, ...placesOf(tasks)];
}

/** How long the longest wait lasts; where it is not known, how long the oldest task has been running. */
function lasting(wait: WaitNow | undefined, oldest: TaskReport | undefined, n: number): string {
  const upTo = n === 1 ? "" : "up to ";
  if (wait !== undefined) return `, ${upTo || "for "}${duration(wait.forMs)}`;
  if (oldest?.runningMs === undefined) return "";
  return `, running for ${upTo}${duration(oldest.runningMs)}`;
}

/** What the task may wait for. */
function hintInWords(task: TaskReport | undefined): string {
  const { kind, label = "", state = "" } = task?.waits.findLast((each) => HINTS.has(each.kind)) ?? {};
  if (kind === "timer") return `, its ${shown(label)} is ${shown(state)}`;
  return kind === undefined ? "" : `, it has sent ${shown(label, MAX_LABEL)}, ${shown(state)}`;
}

/** `(10 of 10 in use, 0 idle, 12 waiting)` */
function useInWords({ kind, use }: Partial<WaitNow>): string {
  if (use === undefined) return "";
  const { inUse, idle, waiting, limit } = use;
  if (kind === "queue") return ` (${inUse} of ${limit})`;
  const of = limit === undefined || limit === Number.POSITIVE_INFINITY ? "" : ` of ${limit}`;
  const facts = [
    ...(inUse === undefined ? [] : [`${inUse}${of} in use`]),
    ...(idle === undefined ? [] : [`${idle} idle`]),
    ...(waiting === undefined ? [] : [`${waiting} waiting`]),
  ];
  return facts.length === 0 ? "" : ` (${facts.join(", ")})`;
}

function heldInWords(kind: string, holders: NonNullable<WaitNow["holders"]>): string {
  // Whether a label stands for a lock is not known, nor whether that was given back.
  if (kind === "label") {
    const [{ correlationId, forMs }] = holders as [NonNullable<WaitNow["holders"]>[number]];
    return `     ${shown(correlationId)} got it last, ${duration(forMs)} ago, and still runs`;
  }
  const each = holders.map(({ correlationId, forMs }) => `${shown(correlationId)} for ${duration(forMs)}`);
  return `     ${kind === "query" ? "transactions open there" : "held by"}: ${each.join(", ")}`;
}

/** What the same tasks do in parallel. */
function otherBranches(branches: readonly AwaitBranch[]): string[] {
  const [first, ...others] = branches;
  const lines = others
    .slice(0, MAX_BRANCHES)
    .map(({ count: n, frames }) => `     and ${n === 1 ? "" : `${n}x `}${framesInWords(frames)}`);
  if (others.length > MAX_BRANCHES)
    lines.push(`     and ${count(others.length - MAX_BRANCHES, "more branch", "more branches")}`);
  return first !== undefined && first.count > 1
    ? [`     (${first.count}x in each of them)`, ...lines]
    : lines;
}

function framesInWords(frames: readonly AwaitFrame[]): string {
  const words = frames
    .slice(0, MAX_FRAMES)
    .map(
      ({ functionName, file, line }) =>
        `${shown(functionName ?? "anonymous code")} ${shown(basename(file))}:${line}`,
    );
  return `${words.join(" < ")}${frames.length > MAX_FRAMES ? " < …" : ""}`;
}

/** Where one of the tasks was put, and where one of them waits, of those of which that was sampled. */
function placesOf(tasks: readonly TaskReport[]): string[] {
  return [
    ...placeOf("put", tasks, ({ putAt }) => putAt?.[0]),
    ...placeOf("waits", tasks, ({ waits }) => waits.findLast(({ stack }) => stack?.[0])?.stack?.[0]),
  ];
}

function placeOf(
  what: string,
  tasks: readonly TaskReport[],
  frameOf: (task: TaskReport) => CallSite | undefined,
): string[] {
  for (const task of tasks) {
    const frame = frameOf(task);
    if (frame !== undefined) return [`     ${what} in ${placeInWords(frame)}   ${shown(task.correlationId)}`];
  }
  return [];
}

function placeInWords({ name, file, line }: CallSite): string {
  return `${shown(name ?? "anonymous code")} (${shown(file, 200)}:${line})`;
}

/** As many IDs as there is room for. */
function withIds(line: string, tasks: readonly TaskReport[]): string {
  let text = line;
  for (const [i, { correlationId }] of tasks.entries()) {
    const id = `${i === 0 ? "" : ", "}${shown(correlationId)}`;
    if (i === MAX_IDS || (i > 0 && text.length + id.length > MAX_COLUMNS)) return `${text}, …`;
    text += id;
  }
  return text;
}
