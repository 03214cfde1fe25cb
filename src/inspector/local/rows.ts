import type { Carrier, Head, Watchable } from "../../contracts/index.js";
import type { AwaitBranch, CallSite } from "../../waits/wait.js";
import type { TaskReport } from "../../watchdog/report/groups.js";
import type { BreachReport } from "../../watchdog/report/report.js";
import { plainCopy } from "../../watchdog/values.js";
import { rounded } from "../hub/ring.js";
import type { FrameRow, HeadRow, PoolRow, TaskRow, WorkerRow } from "../protocol.js";

/** How many tasks and workers are shown. */
export const MAX_TASKS = 200;
const MAX_WORKERS = 200;

/** What makes of an item what is shown of it. */
export type Payload = ((item: unknown) => unknown) | undefined;
export type Redact = (text: string) => string;

export function headRow(
  { at, tier, attempt, correlationId, carrier, item }: Head,
  queue: Watchable,
  redact: Redact,
  payload: Payload,
): HeadRow {
  return {
    waitMs: at === undefined ? undefined : rounded(queue.probe.now() - at),
    tier: queue.probe.tiers[tier] ?? "default",
    attempt,
    correlationId: correlationId === undefined ? undefined : redact(correlationId),
    traceId: traceOf(queue, carrier),
    ...payloadOf(item, payload, redact),
  };
}

function traceOf(queue: Watchable, carrier: Carrier): string | undefined {
  return queue.traceOf(carrier);
}

function payloadOf(item: unknown, payload: Payload, redact: Redact): { payload?: unknown } {
  if (payload === undefined || item === undefined) return {};
  try {
    return { payload: redacted(plainCopy(payload(item)), redact) };
  } catch {
    return { payload: "(payload() failed, or what it gave could not be read)" };
  }
}

function redacted(value: unknown, redact: Redact): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((each) => redacted(each, redact));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [redact(key), redacted(each, redact)]),
  );
}

/** The tasks of a report, the oldest first. */
export function taskRows(report: BreachReport, redact: Redact): TaskRow[] {
  return report.groups
    .flatMap(({ tasks, branches }) => tasks.map((task) => ({ task, branches })))
    .sort((a, b) => (b.task.runningMs ?? 0) - (a.task.runningMs ?? 0))
    .slice(0, MAX_TASKS)
    .map(({ task, branches }) => taskRow(task, branches, redact));
}

function taskRow(task: TaskReport, branches: readonly AwaitBranch[] | undefined, redact: Redact): TaskRow {
  return {
    correlationId: redact(task.correlationId),
    traceId: task.traceId,
    tier: task.tier,
    attempt: task.attempt,
    runningMs: roundedOr(task.runningMs),
    step: task.step === undefined ? undefined : redact(task.step),
    worker: task.worker,
    waits: task.waits.map(({ kind, label, state, forMs, stack }) => ({
      kind,
      label: redact(label),
      state: state === undefined ? undefined : redact(state),
      forMs: rounded(forMs),
      at: stack?.map(placeOf),
    })),
    frames: branches === undefined ? undefined : framesOf(branches),
    putAt: task.putAt?.map(placeOf),
    neverResumes: task.neverResumes,
  };
}

interface Node extends FrameRow {
  readonly children: Node[];
}

/** Branches of one task, outermost first: where they part, each is a child. What the handler has left running beside it is left out. */
export function framesOf(branches: readonly AwaitBranch[]): FrameRow[] {
  const trunk: Node[] = [];
  for (const { frames } of branches) {
    let level = trunk;
    for (const { functionName, file, line, column } of frames.toReversed()) {
      let node = level.find((each) => each.file === file && each.line === line && each.column === column);
      if (node === undefined) {
        node = { fn: functionName ?? "(anonymous)", file, line, column, children: [] };
        level.push(node);
      }
      level = node.children;
    }
  }
  const chain: FrameRow[] = [];
  let [node] = trunk;
  for (; node?.children.length === 1; [node] = node.children) chain.push({ ...node, children: undefined });
  return node === undefined ? chain : [...chain, node];
}

function placeOf({ name, file, line, column }: CallSite): string {
  return `${name ?? "anonymous code"} (${file}:${line}:${column})`;
}

export function poolRows(report: BreachReport, redact: Redact): PoolRow[] {
  return report.pools.map((pool) => ({
    name: pool.name,
    notTaking: pool.notTakingReason,
    counts: pool.workers,
    workers: (report.workers.find((each) => each.pool === pool.name)?.workers ?? [])
      .slice(0, MAX_WORKERS)
      .map(
        (worker): WorkerRow => ({
          id: worker.id,
          state: worker.state,
          correlationId: idOf(report, pool.name, worker.id, redact),
          step: worker.step === undefined ? undefined : redact(worker.step),
          gate: worker.gate,
          forMs: roundedOr(worker.state === "idle" ? worker.lastFinishMsAgo : worker.lastStartMsAgo),
        }),
      ),
  }));
}

function idOf(report: BreachReport, pool: string, id: number, redact: Redact): string | undefined {
  const worker = `${pool} ${id}`;
  for (const { tasks } of report.groups) {
    for (const task of tasks) if (task.worker === worker) return redact(task.correlationId);
  }
  return undefined;
}

function roundedOr(value: number | undefined): number | undefined {
  return value === undefined ? undefined : rounded(value);
}
