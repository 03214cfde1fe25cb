import type { TaskGroup, TaskNow } from "./situation.js";

/** Groups tasks by what they wait for, the largest group first, and in it the oldest task first. */
export function groupByWait(tasks: readonly TaskNow[]): TaskGroup[] {
  const groups = new Map<string, { kind: string | undefined; label: string | undefined; tasks: TaskNow[] }>();
  for (const task of tasks) {
    const wait = task.waits.at(-1);
    const kind = wait?.kind ?? (task.step === undefined ? undefined : "step");
    const label = wait === undefined ? task.step : alike(wait.label);
    const key = `${kind}\0${label}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { kind, label, tasks: [task] });
    else group.tasks.push(task);
  }
  for (const group of groups.values()) group.tasks.sort((a, b) => (b.runningMs ?? 0) - (a.runningMs ?? 0));
  return [...groups.values()].sort((a, b) => b.tasks.length - a.tasks.length);
}

/** The same for two calls of one kind: numbers and IDs in a path are no difference. */
function alike(label: string): string {
  return label.replaceAll(/\/(\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,})(?=\/|$)/gi, "/:id");
}
