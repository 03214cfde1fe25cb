import { errorLine } from "../../base/error-text.js";
import { realNow } from "../../base/real-time.js";
import type {
  PoolView,
  SlaTarget,
  TaskFacts,
  TaskView,
  Watchable,
  WorkerView,
} from "../../contracts/index.js";
import { branchesOf } from "../../waits/frames.js";
import { normalised, short } from "../../waits/labels.js";
import { holdersOf } from "../../waits/resources.js";
import { taskLinkOf } from "../../waits/task-notes.js";
import {
  type AwaitBranch,
  type CallSite,
  HINTS,
  type Holder,
  type Wait,
  type WaitKind,
} from "../../waits/wait.js";
import type { Waits } from "../../waits/waits.js";
import type { MostAttempts, TaskGroup, TaskNow, WaitNow } from "../situation.js";
import type { History } from "./history.js";

/** From which age on a task is worth a question at each look: a share of the shortest SLA, and so many milliseconds at most. */
const OLD_SHARE = 0.25;
const OLD_MS = 1_000;
/** How many tasks in flight a report looks at, besides the youngest, which stands for those in between. */
const MAX_TASKS = 1_000;
/**
 * A task that runs so many times longer than the longest of its tier that was seen is stuck, if it also runs for longer than they
 * do on average.
 */
const LONGER = 1.5;
const SLOWER = 3;
/** And, however short the others are, for such a share of the SLA. */
const SLA_SHARE = 0.5;

/** How much of what a task failed with is told, in characters. */
const MAX_FAILURE = 300;

/** Facts on tasks from the task monitor. */
export interface TaskKnowledge {
  /** What the task waits for, the newest last. */
  waitsOf(task: TaskFacts): readonly WaitNow[];
  /** The tasks that have something of a gate. */
  holdersOf?(gate: object): WaitNow["holders"];
  /** Where its async functions stand, as was seen by a deep look. */
  branchesOf?(task: TaskFacts): readonly AwaitBranch[] | undefined;
  /** Where its item was put, if that was sampled. */
  putAt(task: TaskFacts): readonly CallSite[] | undefined;
  /** Whether it is proven that nothing can resume it. */
  neverResumes(task: TaskFacts): boolean | undefined;
}

/** What is known of tasks by what they were seen to wait for; instants are told as how long ago they were. */
export function knowledgeOf(waits: Waits): TaskKnowledge {
  return {
    waitsOf(task) {
      const now = realNow();
      return waits.of(task).map(({ since, holders, ...wait }) => ({
        ...wait,
        forMs: now - since,
        holders: aged(holders, now),
      }));
    },
    holdersOf: (gate) => aged(holdersOf(gate), realNow()),
    putAt: (task) => waits.putAt(task),
    neverResumes: (task) => waits.neverResumes(task),
  };
}

function aged(holders: readonly Holder[] | undefined, now: number): WaitNow["holders"] {
  return holders?.map(({ correlationId, since }) => ({ correlationId, forMs: now - since }));
}

/** The tasks of a queue that are in flight. */
export class Tasks {
  constructor(
    private readonly queue: Watchable,
    private readonly slaOf: (tier: number) => SlaTarget | undefined,
  ) {}

  /** Whether a task can never resume is found out only from the first question on. */
  watch(now: number, knowledge: TaskKnowledge): void {
    const { probe } = this.queue;
    if (probe.inFlight === 0) return;
    const { tiers } = probe;
    let oldMs = OLD_MS;
    for (let tier = 0; tier < tiers.length; tier++) {
      oldMs = Math.min(oldMs, OLD_SHARE * (this.slaOf(tier)?.targetMs ?? OLD_MS));
    }
    let asked = 0;
    for (const { facts, takenAt } of probe.tasks?.() ?? []) {
      // The oldest come first.
      if (takenAt === undefined || now - takenAt < oldMs || ++asked > MAX_TASKS) return;
      knowledge.neverResumes(facts);
    }
  }

  /** The oldest come first; of very many it is these and the youngest. How long each may run follows from the SLA and from what the queue did lately. */
  now(now: number, sla: SlaTarget, history: History, knowledge: TaskKnowledge): TaskNow[] {
    const workers = new Map<TaskFacts, { pool: PoolView; worker: WorkerView }>();
    for (const pool of this.queue.probe.pools ?? []) {
      for (const worker of pool.statuses())
        if (worker.work !== undefined) workers.set(worker.work, { pool, worker });
    }
    const views: TaskView[] = [];
    let last: TaskView | undefined;
    const inFlight = new Map<string, number>();
    for (const view of this.queue.probe.tasks?.() ?? []) {
      const { tier } = view.facts;
      inFlight.set(tier, (inFlight.get(tier) ?? 0) + 1);
      if (views.length < MAX_TASKS) views.push(view);
      else last = view;
    }
    if (last !== undefined) views.push(last);
    const patience = this.patience(inFlight, sla, history);
    return views.map(({ facts, takenAt, carrier }) => {
      const { pool, worker } = workers.get(facts) ?? {};
      const notes = taskLinkOf(facts)?.notes;
      return {
        facts,
        correlationId: facts.correlationId,
        traceId: this.queue.traceOf(carrier),
        tier: facts.tier,
        attempt: facts.attempt,
        runningMs: takenAt === undefined ? undefined : now - takenAt,
        patienceMs: addHeldUp(patience.get(facts.tier), history.heldUpMs(takenAt ?? now)),
        isOver: notes?.isSettled,
        failure: notes?.error === undefined ? undefined : errorLine(notes.error, MAX_FAILURE),
        step: worker?.step,
        worker: worker === undefined ? undefined : `${pool?.name} ${worker.id}`,
        state: worker?.state,
        waits: waitsOf(facts, pool, worker, knowledge, now),
        branches: knowledge.branchesOf?.(facts) ?? branchesOf(facts),
        putAt: knowledge.putAt(facts),
        neverResumes: knowledge.neverResumes(facts),
      };
    });
  }

  /** By tier, of those that have tasks in flight, how long a task may run before it counts as stuck. */
  private patience(
    inFlight: ReadonlyMap<string, number>,
    { targetMs }: SlaTarget,
    history: History,
  ): Map<string, number | undefined> {
    const { tiers } = this.queue.probe;
    const { serviceMs = 0 } = history.rates();
    return new Map(
      [...inFlight].map(([tier, count]) => {
        const index = tiers.indexOf(tier);
        const longest = history.longestMs(tier, index, count);
        // Of tasks of several tiers the mean says nothing about those of one.
        const usual = tiers.length === 1 ? SLOWER * serviceMs : 0;
        if (longest !== undefined) return [tier, Math.max(SLA_SHARE * targetMs, LONGER * longest, usual)];
        return [tier, index === -1 ? undefined : this.slaOf(index)?.targetMs];
      }),
    );
  }
}

/** The step that a task named last counts where nothing else is known of it. */
export function groupsOf(tasks: readonly TaskNow[], now: number): TaskGroup[] {
  const waiting = tasks.map((task) => {
    const since = task.runningMs === undefined ? undefined : now - task.runningMs;
    const waits = task.waits.map(
      ({ kind, label, state, forMs }): Wait => ({ kind, label, state, since: now - forMs, stack: undefined }),
    );
    if (task.step !== undefined && waits.every(({ kind }) => kind === "span" || HINTS.has(kind))) {
      waits.push({
        kind: "step",
        label: short(task.step),
        state: undefined,
        since: since ?? now,
        stack: undefined,
      });
    }
    return { task, since, waits };
  });
  return groupByWait(waiting).map(({ kind, label, states, tasks }) => ({
    kind,
    label,
    states,
    tasks: tasks.map(({ task }) => task),
    forMs: tasks.map(({ waits, since: began }) => {
      const since = tellingWait(waits)?.since ?? began;
      return since === undefined ? undefined : now - since;
    }),
  }));
}

/** The most deliveries of one item, among those in flight and at the head. */
export function mostAttemptsOf(
  seen: readonly { readonly attempt: number; readonly correlationId?: string | undefined }[],
): MostAttempts {
  let most: (typeof seen)[number] = { attempt: 0 };
  for (const each of seen) if (each.attempt > most.attempt) most = each;
  const alike = seen.filter(({ attempt }) => attempt >= Math.max(2, most.attempt / 2)).length;
  return { attempt: most.attempt, correlationId: most.correlationId, alike };
}

/** While nothing in the process got on, a task didn't either. */
function addHeldUp(patienceMs: number | undefined, heldUpMs: number): number | undefined {
  return patienceMs === undefined ? undefined : patienceMs + heldUpMs;
}

/** A task that waits for its gate has not begun, and waits for nothing else. */
function waitsOf(
  facts: TaskFacts,
  pool: PoolView | undefined,
  worker: WorkerView | undefined,
  knowledge: TaskKnowledge,
  now: number,
): readonly WaitNow[] {
  if (worker?.gate === undefined) return knowledge.waitsOf(facts);
  const forMs = worker.lastStartAt === undefined ? 0 : now - worker.lastStartAt;
  const gate = [...(pool?.gates ?? [])].find(({ name }) => name === worker.gate);
  return [
    {
      kind: "gate",
      label: worker.gate,
      state: worker.state === "backoff" ? "breaker open" : undefined,
      forMs,
      use: gate && { inUse: gate.inFlight, idle: undefined, waiting: gate.waiting, limit: gate.limit },
      holders: gate && knowledge.holdersOf?.(gate),
    },
  ];
}

/** A task, and what it waits for. */
export interface Waiting {
  /** When it began, in monotonic milliseconds; undefined where unknown. */
  readonly since: number | undefined;
  /** Newest last. */
  readonly waits: readonly Wait[];
}

/** Tasks that wait for the same. */
export interface WaitGroup<W extends Waiting> {
  /** Undefined where it is unknown what they wait for. */
  readonly kind: WaitKind | undefined;
  /** With `:id` in place of numbers and IDs, if these differ between the tasks. */
  readonly label: string | undefined;
  /** How far they have come, most frequent first. */
  readonly states: readonly string[];
  /** When the longest of these waits began; without a wait, the longest task. */
  readonly since: number | undefined;
  /** Oldest first. */
  readonly tasks: readonly W[];
}

/**
 * Tasks by what they wait for: by the newest wait of each, an open span counting only where there is nothing else. Labels are the
 * same that differ in numbers and IDs only. The group with the oldest wait comes first, tasks with an unknown wait last.
 */
export function groupByWait<W extends Waiting>(tasks: readonly W[]): WaitGroup<W>[] {
  const groups = new Map<string, Entry<W>[]>();
  for (const task of tasks) {
    const wait = tellingWait(task.waits);
    const key = wait === undefined ? "" : `${wait.kind} ${normalised(wait.label)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ task, wait }]);
    else group.push({ task, wait });
  }
  const known = (group: WaitGroup<W>) => (group.kind === undefined ? 1 : 0);
  return [...groups.values()]
    .map(groupOf)
    .sort((a, b) => known(a) - known(b) || ascending(a.since, b.since) || b.tasks.length - a.tasks.length);
}

interface Entry<W> {
  readonly task: W;
  readonly wait: Wait | undefined;
}

/** What a task waits for: its newest wait, an open span only where there is nothing else. What is only a hint tells nothing. */
export function tellingWait(waits: readonly Wait[]): Wait | undefined {
  return (
    waits.findLast(({ kind }) => kind !== "span" && !HINTS.has(kind)) ??
    waits.findLast(({ kind }) => !HINTS.has(kind))
  );
}

function groupOf<W extends Waiting>(entries: readonly Entry<W>[]): WaitGroup<W> {
  const sorted = [...entries].sort((a, b) => ascending(sinceOf(a), sinceOf(b)));
  const first = sorted[0]!;
  const labels = new Set(entries.flatMap(({ wait }) => wait?.label ?? []));
  return {
    kind: first.wait?.kind,
    label: labels.size > 1 ? normalised(first.wait!.label) : first.wait?.label,
    states: byFrequency(entries.flatMap(({ wait }) => wait?.state ?? [])),
    since: sinceOf(first),
    tasks: sorted.map(({ task }) => task),
  };
}

function sinceOf({ wait, task }: Entry<Waiting>): number | undefined {
  return wait?.since ?? task.since;
}

/** An unknown time comes last. */
function ascending(a = Number.POSITIVE_INFINITY, b = Number.POSITIVE_INFINITY): number {
  return a === b ? 0 : a - b;
}

function byFrequency(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([text]) => text);
}
