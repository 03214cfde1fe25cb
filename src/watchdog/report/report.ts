import { recorder, type Transition } from "../../base/recorder.js";
import { shown } from "../../base/shown.js";
import type { WorkerView } from "../../contracts/index.js";
import { count, duration, percent, perSecond } from "../checks/format.js";
import type { HeadNow, MemoryNow } from "../sampling/watched-queue.js";
import type { Rates, Situation, Verdict } from "../situation.js";
import { countOf, groupLines, groupReports, hintLines, type TaskGroupReport } from "./groups.js";
import { type Senders, senderLines } from "./senders.js";

/** Raised when a member changes its meaning or goes. */
const VERSION = 1;
/** Looks that were late by less, in milliseconds, are no sign of a blocked event loop. */
const MIN_LATE_MS = 50;
/** How many items, pools and gates the text shows. */
const MAX_LINES = 5;
/** How much of a verdict's sentence it shows, in characters: there may be texts of the user's in it. */
const MAX_CHARACTERS = 600;

/** What was looked at beside the situation. */
interface Seen {
  readonly heads: readonly HeadNow[];
  readonly workers: readonly { pool: string; workers: readonly WorkerView[]; seenAt: number }[];
  readonly memory: MemoryNow | undefined;
  readonly senders: Senders;
}

/** How much was left out of a report that would have been too large, by what it would have been. */
export interface LeftOut {
  readonly tasks: number;
  readonly workers: number;
  readonly others: number;
}

/** Why a queue is late, with what that is concluded from. Everything but the text's wording is a contract, by version. */
export class BreachReport {
  readonly version = VERSION;
  /** When it was written, in epoch milliseconds. */
  readonly at: number;
  readonly queue: string;
  /** The tier whose SLA is breached, or that is nearest to it. */
  readonly tier: string;
  /** Which promise of it: how long items wait, or how long they take from when they first come in until they are settled. */
  readonly promise: "wait" | "completion";
  /** How long its oldest item has waited, and may wait, in milliseconds; of a `completion`, has not been settled, and may not be. */
  readonly waitMs: number;
  readonly targetMs: number | undefined;
  readonly depth: number;
  readonly capacity: number;
  /** Items that wait for a planned delay to pass, as those that are retried. */
  readonly delayed: number;
  /** The first verdict of the report before, where this one has another. */
  readonly corrects: string | undefined;
  /** The causes, the most likely one first. Empty where nothing was found. */
  readonly verdicts: readonly Verdict[];
  /** Causes that could not be told yet. */
  readonly notEnoughEvidence: readonly string[];
  /** What is served next. */
  readonly head: readonly HeadNow[];
  /** Who the items are from that are served next. */
  readonly senders: Senders;
  /** About what the items that wait take, in bytes; undefined where that can't be known. */
  readonly memory: MemoryNow | undefined;
  /** What is in flight, by what it waits for and, where that is known, by where its functions stand. */
  readonly groups: readonly TaskGroupReport[];
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
  /** `starvedMs`: for how long the process hardly ran while the oldest item waited, having no processor. */
  readonly loop: {
    readonly utilization: number;
    readonly stalls: Situation["stalls"];
    readonly starvedMs: number;
    /** By how much the watchdog's looks were late while the oldest item waited, because the process was at work. */
    readonly lateMs: number;
  };

  /** What a megabyte had no room for; undefined where that is nothing. */
  readonly leftOut: LeftOut | undefined = undefined;

  /** @internal */
  constructor(
    situation: Situation,
    verdicts: readonly Verdict[],
    notEnoughEvidence: readonly string[],
    { heads, workers, memory, senders }: Seen,
    at: number,
    corrects?: string,
  ) {
    this.corrects = corrects;
    this.at = at;
    this.memory = memory;
    const { tiers, tier, depth, recent, pools } = situation;
    this.queue = situation.queue;
    this.tier = tiers[tier]!.name;
    this.promise = situation.promise ?? "wait";
    this.waitMs = situation.waitMs;
    this.targetMs = Number.isFinite(situation.sla.targetMs) ? situation.sla.targetMs : undefined;
    this.depth = depth;
    this.capacity = situation.capacity;
    this.delayed = situation.delayed;
    this.verdicts = verdicts;
    this.notEnoughEvidence = notEnoughEvidence;
    this.head = heads;
    this.senders = senders;
    this.groups = situation.groups.flatMap(groupReports);
    this.tiers = tiers;
    this.waitingPuts = situation.waitingPuts;
    this.waitingGets = situation.waitingGets;
    this.inFlight = situation.inFlight;
    this.pools = pools;
    this.workers = workers.map(({ pool, workers, seenAt }) => ({
      pool,
      workers: workers.map((worker) => workerReport(worker, seenAt)),
    }));
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
    const gain = recent.takenPerSecond - recent.retriedPerSecond - recent.arrivedPerSecond;
    this.drainMs = depth === 0 ? 0 : gain > 0 ? (depth / gain) * 1_000 : Number.POSITIVE_INFINITY;
    const { loopUtilization: utilization, stalls, starvedMs, lateMs } = situation;
    this.loop = { utilization, stalls, starvedMs, lateMs };
  }

  toJSON(): object {
    return { ...this };
  }

  /**
   * Fits a terminal: the verdicts first, then what is in flight, the head, and the rest in a few lines. Long texts are cut, and control
   * characters in them are written as `\u000a`.
   */
  toString(): string {
    return [
      this.headline(),
      ...(this.corrects === undefined
        ? []
        : [
            `NEWS the report before named ${shown(this.corrects)} first; two looks since then have found what follows`,
          ]),
      ...this.why(),
      ...groupLines(this.groups),
      ...this.otherLines(),
      ...hintLines(this.groups),
      ...this.headLines(),
      ...senderLines(this.senders),
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
    const what = this.promise === "wait" ? "head waited" : "an item is not settled after";
    const delayed =
      this.promise === "wait" ? "" : `, ${this.delayed} delayed, ${this.inFlight ?? 0} in flight`;
    return `${this.isLate ? "BREACH" : "REPORT"} queue=${shown(this.queue)} tier=${shown(this.tier)} ${what} ${duration(this.waitMs)}${sla}, depth ${this.depth}${room}${delayed}`;
  }

  private why(): string[] {
    if (this.verdicts.length === 0) {
      if (!this.isLate && this.targetMs !== undefined) return ["WHY  nothing to explain: the SLA is met"];
      if (!this.isLate && this.depth === 0) return ["WHY  nothing to explain: no item waits"];
      const notYet =
        this.notEnoughEvidence.length === 0
          ? ""
          : ` (too early to tell: ${this.notEnoughEvidence.map((name) => shown(name)).join(", ")})`;
      return [`WHY  not known: no check has found a cause${notYet}`];
    }
    return this.verdicts.map(
      ({ name, confidence, sentence }, i) =>
        `${i === 0 ? "WHY " : "    "} ${shown(name)} (${confidence.toFixed(2)}): ${shown(sentence, MAX_CHARACTERS)}`,
    );
  }

  /** Of very many tasks only the oldest are looked at, and the youngest. */
  private otherLines(): string[] {
    const others = (this.inFlight ?? 0) - this.groups.reduce((sum, group) => sum + countOf(group), 0);
    return others > 0 ? [`     and ${count(others, "more task")} in flight, not sampled`] : [];
  }

  private headLines(): string[] {
    return this.head.slice(0, MAX_LINES).map(({ waitMs, tier, attempt, correlationId }, i) => {
      const waited = waitMs === undefined ? "" : ` waited ${duration(waitMs)}`;
      return `${i === 0 ? "NEXT" : "    "} ${correlationId === undefined ? "(no correlation ID)" : shown(correlationId)}${waited}, tier ${shown(tier)}, attempt ${attempt}`;
    });
  }

  private memoryWords(): string {
    if (this.memory === undefined) return "";
    const { bytes } = this.memory;
    return `; what waits takes about ${bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`}`;
  }

  private ratesLine(): string {
    const { arrivedPerSecond, takenPerSecond, retriedPerSecond, failedPerSecond, serviceMs } = this.recent;
    const retried = retriedPerSecond > 0 ? `, ${perSecond(retriedPerSecond)} retried` : "";
    const failed = failedPerSecond > 0 ? `, ${perSecond(failedPerSecond)} failed` : "";
    const service = serviceMs === undefined ? "" : `, ${duration(serviceMs)} each`;
    const busy = this.utilization === undefined ? "" : `, workers ${percent(this.utilization)} busy`;
    return `RATE in ${perSecond(arrivedPerSecond)}, out ${perSecond(takenPerSecond)}${retried}${failed}${service}${busy}; ${this.drainMs === Number.POSITIVE_INFINITY ? "never empty, at these rates" : `empty in ${duration(this.drainMs)}`}${this.memoryWords()}`;
  }

  private workerLines(): string[] {
    const pools = this.pools.map(({ name, notTakingReason, workers }) => {
      const states = Object.entries(workers).filter(([, n]) => n > 0);
      return `POOL ${shown(name)}${notTakingReason === undefined ? "" : ` (${notTakingReason})`}: ${states.map(([state, n]) => `${n} ${state}`).join(", ")}`;
    });
    const gates = this.gates.map(
      ({ name, limit, inFlight, waiting, isOpen }) =>
        `GATE ${shown(name)}: ${inFlight} of ${limit} through, ${waiting} waiting${isOpen ? ", breaker open" : ""}`,
    );
    const lines = [...few(pools, "pool"), ...few(gates, "gate")];
    if (this.waitingPuts) lines.push(`PUTS ${count(this.waitingPuts, "producer")} blocked`);
    if (this.waitingGets) lines.push(`GETS ${count(this.waitingGets, "consumer")} idle`);
    return lines;
  }

  private loopLine(): string {
    const { utilization, stalls, starvedMs, lateMs } = this.loop;
    const blockedMs = stalls.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const [last] = stalls;
    const blocked =
      last === undefined
        ? lateMs >= MIN_LATE_MS
          ? `held up for ${duration(lateMs)}`
          : "not blocked"
        : `blocked for ${duration(blockedMs)}, the last time ${duration(last.endedMsAgo)} ago`;
    const starved = starvedMs >= MIN_LATE_MS ? `, without a CPU for ${duration(starvedMs)}` : "";
    return `LOOP ${percent(utilization)} busy, ${blocked}${starved}`;
  }
}

/** The first of many lines. */
function few(lines: readonly string[], what: string): string[] {
  if (lines.length <= MAX_LINES) return [...lines];
  return [...lines.slice(0, MAX_LINES), `     and ${count(lines.length - MAX_LINES, `more ${what}`)}`];
}

/** A worker, as a report shows it. */
export interface WorkerReport extends Omit<WorkerView, "work"> {
  /** How long ago each was, in milliseconds; undefined where there is nothing yet. */
  readonly lastStartMsAgo: number | undefined;
  readonly lastStepMsAgo: number | undefined;
  readonly lastFinishMsAgo: number | undefined;
}

function workerReport(
  { id, state, step, gate, lastStartAt, lastStepAt, lastFinishAt }: WorkerView,
  seenAt: number,
): WorkerReport {
  const ago = (at: number | undefined) => (at === undefined ? undefined : Math.max(0, seenAt - at));
  return {
    id,
    state,
    step,
    gate,
    lastStartAt,
    lastStepAt,
    lastFinishAt,
    lastStartMsAgo: ago(lastStartAt),
    lastStepMsAgo: ago(lastStepAt),
    lastFinishMsAgo: ago(lastFinishAt),
  };
}

/** While some pools take items, idle workers of the others are no free hands. */
function utilizationOf(pools: Situation["pools"]): number | undefined {
  const isOneTaking = pools.some(({ isTaking }) => isTaking);
  let busy = 0;
  let all = 0;
  for (const { isTaking, workers } of pools) {
    const working = workers.processing + workers.backoff + workers.stalled;
    busy += working;
    all += working + (isTaking || !isOneTaking ? workers.idle : 0);
  }
  return all === 0 ? undefined : busy / all;
}
