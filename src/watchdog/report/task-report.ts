import { shown } from "../../base/shown.js";
import type { CallSite } from "../../waits/wait.js";
import { count, duration } from "../checks/format.js";
import type { TaskGroup, TaskNow } from "../situation.js";

/** How many groups of tasks the text shows, and how many tasks of each by their correlation ID. */
const MOST_GROUPS = 5;
const MOST_IDS = 3;
/** Beyond this column no further ID is shown. */
const MOST_COLUMNS = 120;

/** A task in flight, as a report shows it. */
export type TaskReport = Omit<TaskNow, "facts">;

/** Tasks in flight that wait for the same, as a report shows them. */
export interface TaskGroupReport {
  /** What they wait for; undefined where nobody knows. */
  readonly kind: string | undefined;
  readonly label: string | undefined;
  /** How many tasks that are, where the report had no room for all of them. */
  readonly count?: number | undefined;
  /** The one that has waited longest comes first. */
  readonly tasks: readonly TaskReport[];
}

export function groupReport({ kind, label, tasks }: TaskGroup): TaskGroupReport {
  return { kind, label, tasks: tasks.map(({ facts: _, ...task }) => task) };
}

/** Groups of tasks for a terminal, a few lines each. */
export function groupLines(groups: readonly TaskGroupReport[]): string[] {
  const lines = groups.slice(0, MOST_GROUPS).flatMap(linesOf);
  const rest = groups.slice(MOST_GROUPS).reduce((sum, group) => sum + countOf(group), 0);
  if (rest > 0) lines.push(`     and ${count(rest, "task")} that wait for something else`);
  return lines;
}

/** How many tasks it has, listed or not. */
export function countOf({ count: all, tasks }: TaskGroupReport): number {
  return all ?? tasks.length;
}

function linesOf(group: TaskGroupReport): string[] {
  const { kind, label, tasks } = group;
  const what = label === undefined ? "wait unknown" : `${kind} ${shown(label)}`;
  const oldest = tasks[0];
  const state = oldest?.waits.findLast((wait) => wait.kind === kind)?.state;
  const how = state === undefined ? "" : `, "${shown(state)}"`;
  const n = countOf(group);
  const running =
    oldest?.runningMs === undefined
      ? ""
      : `, running for ${n === 1 ? "" : "up to "}${duration(oldest.runningMs)}`;
  const lost = tasks.filter(({ neverResumes }) => neverResumes);
  const fate = lost.length > 0 && lost.length === tasks.length ? ", can never resume" : "";
  const lines = [withIds(`${count(n, "task")}, ${what}${how}${running}${fate}   `, tasks)];
  if (lost.length > 0 && fate === "") lines.push(withIds(`     ${lost.length} can never resume:   `, lost));
  return [...lines, ...placesOf(tasks)];
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
    if (frame !== undefined) return [`     ${what} in ${inWords(frame)}   ${shown(task.correlationId)}`];
  }
  return [];
}

function inWords({ name, file, line }: CallSite): string {
  return `${shown(name ?? "anonymous code")} (${shown(file, 200)}:${line})`;
}

/** As many IDs as there is room for. */
function withIds(line: string, tasks: readonly TaskReport[]): string {
  let text = line;
  for (const [i, { correlationId }] of tasks.entries()) {
    const id = `${i === 0 ? "" : ", "}${shown(correlationId)}`;
    if (i === MOST_IDS || (i > 0 && text.length + id.length > MOST_COLUMNS)) return `${text}, …`;
    text += id;
  }
  return text;
}
