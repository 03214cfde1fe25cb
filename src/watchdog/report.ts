import type { WorkerView } from "../contracts.js";
import { recorder, type Transition } from "../recorder.js";
import { count, duration, percent, perSecond } from "./checks/words.js";
import type { Rates, Situation, TaskNow, Verdict } from "./situation.js";
import type { HeadNow, MemoryNow } from "./watched-queue.js";

/** Raised when a member changes its meaning or goes. */
const VERSION = 1;
/** How many groups of tasks, and tasks of each, the text shows. */
const MOST_LINES = 5;

/** A task in flight, as a report shows it. */
export type TaskReport = Omit<TaskNow, "facts">;

/** Why a queue is late, with what that is concluded from. Everything but the text's wording is a contract, by version. */
export class BreachReport {
  readonly version = VERSION;
  /** When it was written, in epoch milliseconds. */
  readonly at = Date.now();
  readonly queue: string;
  /** The tier whose SLA is breached, or that is nearest to it. */
  readonly tier: string;
  /** How long its oldest item has waited, and may wait, in milliseconds. */
  readonly waitMs: number;
  readonly targetMs: number | undefined;
  readonly depth: number;
  readonly capacity: number;
  /** The causes, the most likely one first. Empty where nothing was found. */
  readonly verdicts: readonly Verdict[];
  /** Causes that could not be told yet. */
  readonly notEnoughEvidence: readonly string[];
  /** What is served next. */
  readonly head: readonly HeadNow[];
  /** About what the items that wait take, in bytes; undefined where that can't be known. */
  readonly memory: MemoryNow | undefined;
  /** What is in flight, by what it waits for. */
  readonly groups: readonly {
    readonly kind: string | undefined;
    readonly label: string | undefined;
    readonly tasks: readonly TaskReport[];
  }[];
  readonly tiers: Situation["tiers"];
  readonly waitingPuts: number | undefined;
  readonly waitingGets: number | undefined;
  readonly inFlight: number | undefined;
  readonly pools: Situation["pools"];
  readonly workers: readonly { readonly pool: string; readonly workers: readonly WorkerReport[] }[];
  readonly gates: Situation["gates"];
  /** Per second, and mean service time in milliseconds. */
  readonly rates: Rates;
  readonly recent: Rates;
  /** Share of the workers that are busy, from 0 to 1; undefined where no pool is known. */
  readonly utilization: number | undefined;
  /** How long the queue takes to empty at the rates of the last few seconds, in milliseconds; `Infinity`: never. */
  readonly drainMs: number;
  /** What changed lately, in all queues and pools of the process, the oldest first: at most 200. */
  readonly transitions: readonly Transition[] = recorder.transitions();
  readonly loop: { readonly utilization: number; readonly stalls: Situation["stalls"] };

  /** @internal */
  constructor(
    situation: Situation,
    verdicts: readonly Verdict[],
    notEnoughEvidence: readonly string[],
    head: readonly HeadNow[],
    workers: readonly { pool: string; workers: readonly WorkerView[] }[],
    memory: MemoryNow | undefined,
  ) {
    this.memory = memory;
    const { tiers, tier, depth, recent, pools } = situation;
    this.queue = situation.queue;
    this.tier = tiers[tier]!.name;
    this.waitMs = situation.waitMs;
    this.targetMs = Number.isFinite(situation.sla.targetMs) ? situation.sla.targetMs : undefined;
    this.depth = depth;
    this.capacity = situation.capacity;
    this.verdicts = verdicts;
    this.notEnoughEvidence = notEnoughEvidence;
    this.head = head;
    this.groups = situation.groups.map(({ kind, label, tasks }) => ({
      kind,
      label,
      tasks: tasks.map(taskReport),
    }));
    this.tiers = tiers;
    this.waitingPuts = situation.waitingPuts;
    this.waitingGets = situation.waitingGets;
    this.inFlight = situation.inFlight;
    this.pools = pools;
    this.workers = workers.map(({ pool, workers }) => ({ pool, workers: workers.map(workerReport) }));
    this.gates = situation.gates.map(({ name, limit, inFlight, waiting, isOpen }) => ({
      name,
      limit,
      inFlight,
      waiting,
      isOpen,
    }));
    this.rates = situation.rates;
    this.recent = recent;
    this.utilization = utilizationOf(pools);
    const gain = recent.takenPerSecond - recent.arrivedPerSecond;
    this.drainMs = depth === 0 ? 0 : gain > 0 ? (depth / gain) * 1_000 : Number.POSITIVE_INFINITY;
    this.loop = { utilization: situation.loopUtilization, stalls: situation.stalls };
  }

  toJSON(): object {
    return { ...this };
  }

  /** Fits a terminal: the verdicts first, then the head, what is in flight, and the rest in a few lines. */
  toString(): string {
    return [
      this.headline(),
      ...this.why(),
      ...this.inFlightLines(),
      ...this.headLines(),
      this.ratesLine(),
      ...this.workerLines(),
      this.loopLine(),
    ].join("\n");
  }

  private get isLate(): boolean {
    return this.targetMs !== undefined && this.waitMs > this.targetMs;
  }

  private headline(): string {
    const sla = this.targetMs === undefined ? "" : ` (SLA ${duration(this.targetMs)})`;
    const room = Number.isFinite(this.capacity) ? ` of ${this.capacity}` : "";
    return `${this.isLate ? "BREACH" : "REPORT"} queue=${this.queue} tier=${this.tier} head waited ${duration(this.waitMs)}${sla}, depth ${this.depth}${room}`;
  }

  private why(): string[] {
    if (this.verdicts.length === 0) {
      if (!this.isLate && this.targetMs !== undefined) return ["WHY  nothing to explain: the SLA is met"];
      const notYet =
        this.notEnoughEvidence.length === 0
          ? ""
          : ` (too early to tell: ${this.notEnoughEvidence.join(", ")})`;
      return [`WHY  not known: no check has found a cause${notYet}`];
    }
    return this.verdicts.map(
      ({ name, confidence, sentence }, i) =>
        `${i === 0 ? "WHY " : "    "} ${name} (${confidence.toFixed(2)}): ${sentence}`,
    );
  }

  private inFlightLines(): string[] {
    return this.groups.slice(0, MOST_LINES).map(({ kind, label, tasks }) => {
      const ids = tasks.slice(0, 3).map(({ correlationId }) => correlationId);
      const [oldest] = tasks;
      const since = oldest?.runningMs === undefined ? "" : `, up to ${duration(oldest.runningMs)}`;
      const what = label === undefined ? "nobody knows where" : `${kind} ${label}`;
      return `${`${tasks.length}x`.padEnd(4)} ${what}${since}   ${ids.join(", ")}${tasks.length > 3 ? ", …" : ""}`;
    });
  }

  private headLines(): string[] {
    return this.head.slice(0, MOST_LINES).map(({ waitMs, tier, attempt, correlationId }, i) => {
      const waited = waitMs === undefined ? "" : ` waited ${duration(waitMs)}`;
      return `${i === 0 ? "NEXT" : "    "} ${correlationId ?? "(no correlation ID)"}${waited}, tier ${tier}, attempt ${attempt}`;
    });
  }

  private memoryWords(): string {
    if (this.memory === undefined) return "";
    const { bytes } = this.memory;
    return `; what waits takes about ${bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`}`;
  }

  private ratesLine(): string {
    const { arrivedPerSecond, takenPerSecond, serviceMs } = this.recent;
    const service = serviceMs === undefined ? "" : `, ${duration(serviceMs)} each`;
    const busy = this.utilization === undefined ? "" : `, workers ${percent(this.utilization)} busy`;
    return `RATE in ${perSecond(arrivedPerSecond)}, out ${perSecond(takenPerSecond)}${service}${busy}; ${this.drainMs === Number.POSITIVE_INFINITY ? "never empty, at these rates" : `empty in ${duration(this.drainMs)}`}${this.memoryWords()}`;
  }

  private workerLines(): string[] {
    const lines = this.pools.map(({ name, isTaking, workers }) => {
      const states = Object.entries(workers).filter(([, n]) => n > 0);
      return `POOL ${name}${isTaking ? "" : " (takes nothing)"}: ${states.map(([state, n]) => `${n} ${state}`).join(", ")}`;
    });
    for (const { name, limit, inFlight, waiting, isOpen } of this.gates) {
      lines.push(
        `GATE ${name}: ${inFlight} of ${limit} through, ${waiting} waiting${isOpen ? ", breaker open" : ""}`,
      );
    }
    if (this.waitingPuts) lines.push(`PUTS ${count(this.waitingPuts, "producer")} blocked`);
    return lines;
  }

  private loopLine(): string {
    const { utilization, stalls } = this.loop;
    const blockedMs = stalls.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const [last] = stalls;
    const blocked =
      last === undefined
        ? "not blocked"
        : `blocked for ${duration(blockedMs)}, the last time ${duration(last.endedMsAgo)} ago`;
    return `LOOP ${percent(utilization)} busy, ${blocked}`;
  }
}

/** A worker, as a report shows it. */
export type WorkerReport = Omit<WorkerView, "work">;

function workerReport({
  id,
  state,
  step,
  gate,
  lastStartAt,
  lastStepAt,
  lastFinishAt,
}: WorkerView): WorkerReport {
  return { id, state, step, gate, lastStartAt, lastStepAt, lastFinishAt };
}

function taskReport({ facts: _, ...task }: TaskNow): TaskReport {
  return task;
}

function utilizationOf(pools: Situation["pools"]): number | undefined {
  let busy = 0;
  let all = 0;
  for (const { workers } of pools) {
    busy += workers.processing + workers.backoff + workers.stalled;
    all += workers.processing + workers.backoff + workers.stalled + workers.idle;
  }
  return all === 0 ? undefined : busy / all;
}
