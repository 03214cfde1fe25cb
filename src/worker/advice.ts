import { checkKnown, checkNumber, checkObject } from "../base/checks.js";
import { shown } from "../base/shown.js";
import { depthExceeded, type Forecast, forecast, type Load, shareWithin } from "./forecast.js";
import type { Measured } from "./rates.js";

export type { Forecast, Load } from "./forecast.js";

/** With fewer tasks than this, and in less time, nothing is advised. */
const MIN_TASKS = 30;
const MIN_MS = 5_000;
/** A queue should be full no more than this share of the time. */
const FULL_RATIO = 0.001;
/** The usual rule of thumb for a queue's capacity, in items for each worker. */
const RULE = { atLeast: 2, atMost: 5 };

/** Options of {@link WorkerPool.advice}. Only `undefined` stands for the default. */
export interface AdviceOptions {
  /**
   * The share of items, between 0 and 1 (default 0.99), that are to wait no longer than so many milliseconds. Default: no such target.
   */
  sla?: { targetMs: number; objective?: number | undefined } | undefined;
  /** How busy workers may be, between 0 and 1: the rest is for bursts. Default: 0.8. */
  maxUtilisation?: number | undefined;
}

/** Too little was measured. */
export interface NotEnoughEvidence {
  readonly isEnough: false;
  /** How long was measured. */
  readonly observedMs: number;
  /** Tasks whose time was taken, and how many it takes. */
  readonly tasks: number;
  readonly tasksNeeded: number;
  toString(): string;
}

/** What measured rates mean for the size of a pool and its queue. */
export interface SizingAdvice extends Load {
  readonly isEnough: true;
  /** How long was measured, and how many tasks. */
  readonly observedMs: number;
  readonly tasks: number;
  /** Tasks that ended, a second. */
  readonly finishedPerSecond: number;
  /** Workers that are busy on average: arrivals times service time (Little's law). */
  readonly busyWorkers: number;
  /** The fewest workers that don't fall behind for ever. */
  readonly fewestWorkers: number;
  /** With as many workers as there are. */
  readonly today: Forecast;
  /** Between these, in milliseconds, lies today's mean wait, as far as so few tasks can tell (two standard errors). */
  readonly todayWaitMs: { readonly atLeast: number; readonly atMost: number };
  /** With as many as advised: the fewest that meet target and utilisation. */
  readonly advised: Forecast;
  readonly capacity: CapacityAdvice;
  /** Items in the queue now. */
  readonly depth: number;
  /** Until the queue is empty, at today's rates: `Infinity` when no less comes than can be handled, or nothing is taken. */
  readonly drainMs: number;
  /** With any other number of workers. Throws an `InvalidOption…Error` unless it is a whole number from 1. */
  with(concurrency: number): Forecast;
  /** The share of items, from 0 to 1, that would wait no longer than so many milliseconds with that many workers. */
  onTimeRatio(concurrency: number, targetMs: number): number;
  toString(): string;
}

/** What the queue's capacity means, in items. */
export interface CapacityAdvice {
  /** As it is; `Infinity` when unbounded. */
  readonly today: number;
  /** How long an item waits that gets the last place, with today's workers, in milliseconds. */
  readonly todayFullMs: number;
  /** For the advised workers: enough for all but a thousandth of the time, but not so much that its last place misses the target. */
  readonly advised: number;
  /** How long an item waits that gets the last place of that, in milliseconds. */
  readonly advisedFullMs: number;
  /** The rule of thumb to check it with: 2 to 5 items for each advised worker. */
  readonly ruleAtLeast: number;
  readonly ruleAtMost: number;
  /**
   * Another one: concurrency × average processing time in seconds. It is Little's law for as many arrivals a second as there are workers,
   * so it is right for nothing else.
   */
  readonly concurrencyTimesSeconds: number;
}

export type Advice = SizingAdvice | NotEnoughEvidence;

/** The pool as it is. */
export interface Situation {
  readonly name: string;
  readonly concurrency: number;
  readonly isTaking: boolean;
  readonly depth: number;
  readonly capacity: number;
  readonly waitingPuts: number;
  readonly gates: Iterable<{ readonly name: string; readonly limit: number }>;
}

interface Aims {
  readonly sla: { readonly targetMs: number; readonly objective: number } | undefined;
  readonly maxUtilisation: number;
}

/** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
export function readAims(options: AdviceOptions | undefined): Aims {
  checkObject("options", options);
  checkKnown(options, { sla: true, maxUtilisation: true });
  const { sla, maxUtilisation = 0.8 } = options ?? {};
  const isShare = (n: number) => n > 0 && n < 1;
  checkNumber("maxUtilisation", maxUtilisation, "a number between 0 and 1", isShare);
  if (sla === undefined) return { sla, maxUtilisation };
  checkObject("sla", sla);
  checkKnown(sla, { targetMs: true, objective: true }, "sla.");
  const { targetMs, objective = 0.99 } = sla;
  checkNumber("sla.targetMs", targetMs, "milliseconds, greater than 0", (n) => n > 0 && Number.isFinite(n));
  checkNumber("sla.objective", objective, "a number between 0 and 1", isShare);
  return { sla: { targetMs, objective }, maxUtilisation };
}

export function advise(situation: Situation, measured: Measured, aims: Aims): Advice {
  const { observedMs, timed: tasks } = measured;
  if (tasks < MIN_TASKS || observedMs < MIN_MS || !(measured.serviceMs > 0)) {
    return { isEnough: false, observedMs, tasks, tasksNeeded: MIN_TASKS, toString: whatIsMissing };
  }
  const { arrivalsPerSecond, serviceMs, arrivalVariability, serviceVariability, finishedPerSecond } =
    measured;
  const load: Load = { arrivalsPerSecond, serviceMs, arrivalVariability, serviceVariability };
  const busyWorkers = (arrivalsPerSecond * serviceMs) / 1000;
  const fewestWorkers = Math.max(1, Math.floor(busyWorkers) + 1);
  const advised = fewest(load, fewestWorkers, aims);
  const today = forecast(load, situation.concurrency);
  const advice = {
    ...load,
    isEnough: true as const,
    observedMs,
    tasks,
    finishedPerSecond,
    busyWorkers,
    fewestWorkers,
    today,
    todayWaitMs: waitRange(load, measured, situation.concurrency),
    advised,
    capacity: capacityFor(situation.capacity, today, advised, serviceMs, aims),
    depth: situation.depth,
    drainMs: drainMs(situation, today, arrivalsPerSecond),
    with(concurrency: number) {
      checkWorkers(concurrency);
      return forecast(load, concurrency);
    },
    onTimeRatio(concurrency: number, targetMs: number) {
      checkWorkers(concurrency);
      checkNumber("targetMs", targetMs, "milliseconds, from 0", (n) => n >= 0);
      return shareWithin(forecast(load, concurrency), targetMs);
    },
  };
  return { ...advice, toString: () => inSentences(advice, situation, aims) };
}

function checkWorkers(concurrency: unknown): void {
  checkNumber("concurrency", concurrency, "a whole number from 1", (n) => n >= 1 && Number.isSafeInteger(n));
}

/** The mean wait, if the load is two standard errors less or more than measured. */
function waitRange(load: Load, { arrivals, timed }: Measured, concurrency: number) {
  const error = Math.sqrt(load.arrivalVariability / Math.max(arrivals, 1) + load.serviceVariability / timed);
  const waitMs = (factor: number) =>
    forecast({ ...load, arrivalsPerSecond: load.arrivalsPerSecond * factor }, concurrency).waitMs;
  return { atLeast: waitMs(Math.max(0, 1 - 2 * error)), atMost: waitMs(1 + 2 * error) };
}

/** The fewest workers, from so many, that meet the aims. There always are some: with enough of them nothing waits. */
function fewest(load: Load, from: number, { sla, maxUtilisation }: Aims): Forecast {
  const busyWorkers = (load.arrivalsPerSecond * load.serviceMs) / 1000;
  for (let concurrency = Math.max(from, Math.ceil(busyWorkers / maxUtilisation)); ; concurrency++) {
    const candidate = forecast(load, concurrency);
    if (sla === undefined || shareWithin(candidate, sla.targetMs) >= sla.objective) return candidate;
  }
}

function capacityFor(
  capacity: number,
  today: Forecast,
  advised: Forecast,
  serviceMs: number,
  { sla }: Aims,
): CapacityAdvice {
  const { concurrency } = advised;
  const forBursts = Math.max(RULE.atLeast * concurrency, Math.ceil(depthExceeded(advised, FULL_RATIO)));
  const inTime = sla === undefined ? forBursts : Math.floor((sla.targetMs / serviceMs) * concurrency);
  const items = Math.max(1, Math.min(forBursts, inTime));
  return {
    today: capacity,
    todayFullMs: fullMs(capacity, today),
    advised: items,
    advisedFullMs: fullMs(items, advised),
    ruleAtLeast: RULE.atLeast * concurrency,
    ruleAtMost: RULE.atMost * concurrency,
    concurrencyTimesSeconds: (today.concurrency * serviceMs) / 1000,
  };
}

/** All workers are busy, and one of them must be free as often as there are items. */
function fullMs(capacity: number, { servedPerSecond }: Forecast): number {
  return (capacity / servedPerSecond) * 1000;
}

function drainMs({ depth, isTaking }: Situation, today: Forecast, arrivalsPerSecond: number): number {
  if (depth === 0) return 0;
  const perSecond = isTaking ? today.servedPerSecond - arrivalsPerSecond : 0;
  return perSecond > 0 ? (depth / perSecond) * 1000 : Number.POSITIVE_INFINITY;
}

function whatIsMissing(this: NotEnoughEvidence): string {
  const { tasks, tasksNeeded, observedMs } = this;
  return `not enough evidence yet: ${tasks} tasks in ${seconds(observedMs)}; it takes ${tasksNeeded} in ${seconds(MIN_MS)}`;
}

type Numbers = Omit<SizingAdvice, "with" | "onTimeRatio" | "toString">;

function inSentences(advice: Numbers, situation: Situation, { sla, maxUtilisation }: Aims): string {
  const { today, todayWaitMs, advised, capacity } = advice;
  const workers = (n: number) => `${n} ${n === 1 ? "worker" : "workers"}`;
  const onTime = (each: Forecast) =>
    sla === undefined
      ? ""
      : `; ${percent(shareWithin(each, sla.targetMs))} of the items wait no longer than ${duration(sla.targetMs)}`;
  const outlook = (each: Forecast) =>
    `with ${workers(each.concurrency)}: utilisation ${percent(each.utilisation)}, ` +
    (each.utilisation >= 1
      ? `the queue only grows${onTime(each)}`
      : `an item waits ${duration(each.waitMs)} on average, ${round(each.depth)} wait at a time${onTime(each)}`);
  const lines = [
    `${shown(situation.name)}: in ${seconds(advice.observedMs)}, ${round(advice.arrivalsPerSecond)} items a second came and ` +
      `${round(advice.finishedPerSecond)} were done; one takes ${duration(advice.serviceMs)}, so ${round(advice.busyWorkers)} workers are busy ` +
      `(Little's law: ${round(advice.arrivalsPerSecond)} a second × ${duration(advice.serviceMs)})`,
    `today, ${outlook(today)}`,
    `today's average wait is ${duration(todayWaitMs.atLeast)} to ${duration(todayWaitMs.atMost)}, as far as ${advice.tasks} tasks can tell`,
  ];
  if (advised.concurrency !== today.concurrency)
    lines.push(`advised, for a utilisation up to ${percent(maxUtilisation)}, ${outlook(advised)}`);
  lines.push(
    `waits are by Erlang C and Allen–Cunneen (variability of arrivals ${round(advice.arrivalVariability)}, of service ${round(advice.serviceVariability)})`,
    `capacity ${capacity.advised} is advised for ${workers(advised.concurrency)}: its last place waits ${duration(capacity.advisedFullMs)}; ` +
      (capacity.today === Number.POSITIVE_INFINITY
        ? "today there is no limit"
        : `today's is ${capacity.today}, whose last place waits ${duration(capacity.todayFullMs)}`),
    `rules of thumb: 2–5 × workers is ${capacity.ruleAtLeast}–${capacity.ruleAtMost} items; ` +
      `concurrency × processing time is ${round(capacity.concurrencyTimesSeconds)}`,
  );
  for (const { name, limit } of situation.gates) {
    if (limit < advised.concurrency)
      lines.push(`gate ${shown(name)} lets ${limit} through at a time: more workers than that wait for it`);
  }
  if (situation.waitingPuts > 0)
    lines.push(`${situation.waitingPuts} puts wait for room: more would come if it could`);
  if (!situation.isTaking) lines.push("the pool takes nothing now");
  lines.push(
    `${advice.depth} items are queued; at today's rates ${
      advice.drainMs === Number.POSITIVE_INFINITY
        ? "the queue never drains"
        : `the queue is empty in ${duration(advice.drainMs)}`
    }`,
  );
  return lines.join("\n");
}

function round(value: number): string {
  if (value < 0.001) return "0";
  return String(Number(value.toPrecision(3)));
}

function percent(ratio: number): string {
  return ratio === Number.POSITIVE_INFINITY ? "infinite" : `${round(Math.floor(ratio * 10_000) / 100)} %`;
}

function duration(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return "for ever";
  return ms < 1_000 ? `${round(ms)} ms` : `${round(ms / 1000)} s`;
}

function seconds(ms: number): string {
  return `${round(ms / 1000)} s`;
}
