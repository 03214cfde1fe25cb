import { count, duration, percent, perSecond } from "../../watchdog/checks/format.js";
import type { HealthName } from "../protocol.js";
import type { Figures } from "./figures.js";

/** From which share of an SLA on an item is about to be late, and of its room on a queue is about to be full. */
const SLA_SHARE = 0.8;
const FULL_SHARE = 0.9;
/** For how long nothing is taken while items wait before that is strange, in milliseconds. */
const NOT_TAKEN_MS = 10_000;
/** From which share of the attempts on failures are no exceptions. */
const FAILURE_SHARE = 0.05;

/** What a row is judged by. */
export interface Now {
  readonly figures: Figures;
  readonly failedPerSecond: number;
  readonly endedPerSecond: number;
  readonly droppedPerSecond: number;
  readonly outPerSecond: number;
}

/** How a queue is, why, and how much worse than others: by kind, then by how much of its SLA is used up, then by how much waits. */
export function judged(now: Now): { health: HealthName; reasons: string[]; rank: number } {
  const { figures } = now;
  const { depth = 0, inFlight = 0, slaUsed = 0 } = figures;
  const late = lateTiers(figures);
  const reasons = [...late, ...warnings(now)];
  const within = 100 * Math.min(slaUsed, 9) + Math.min(99, 10 * Math.log10(1 + depth));
  if (late.length > 0) return { health: "breach", reasons, rank: 3_000 + within };
  if (reasons.length > 0) return { health: "warning", reasons, rank: 2_000 + within };
  if (depth > 0 || inFlight > 0) return { health: "ok", reasons, rank: 1_000 + within };
  return { health: "idle", reasons, rank: 0 };
}

function lateTiers({ tiers }: Figures): string[] {
  const late: string[] = [];
  for (const [{ tier }, { oldestMs, sla }] of tiers) {
    if (sla === undefined || oldestMs <= sla.targetMs) continue;
    late.push(
      `the oldest item of tier ${tier} has waited ${duration(oldestMs)}, its SLA is ${duration(sla.targetMs)}`,
    );
  }
  return late;
}

function warnings(now: Now): string[] {
  const { figures } = now;
  const { depth = 0, oldestMs = 0, slaUsed = 0, capacity, workers, waitingPuts = 0 } = figures;
  const found: string[] = [];
  if (slaUsed >= SLA_SHARE && slaUsed <= 1)
    found.push(`the oldest item has used ${percent(slaUsed)} of its SLA`);
  if (figures.paused !== undefined && depth > 0)
    found.push(`${figures.paused}, and ${count(depth, "item")} ${depth === 1 ? "waits" : "wait"}`);
  else if (depth > 0 && oldestMs > NOT_TAKEN_MS && now.outPerSecond === 0)
    found.push(`nothing is taken, and ${count(depth, "item")} ${depth === 1 ? "waits" : "wait"}`);
  if (capacity !== undefined && depth >= FULL_SHARE * capacity)
    found.push(`it is ${percent(depth / capacity)} full: ${depth} of ${capacity}`);
  if (waitingPuts > 0) found.push(`${count(waitingPuts, "producer")} blocked`);
  if (workers !== undefined && workers.stalled > 0) found.push(`${count(workers.stalled, "worker")} stalled`);
  for (const gate of figures.openBreakers ?? []) found.push(`the breaker of gate ${gate} is open`);
  const attempts = now.endedPerSecond + now.failedPerSecond;
  if (now.failedPerSecond > 0 && now.failedPerSecond > FAILURE_SHARE * attempts)
    found.push(`${perSecond(now.failedPerSecond)} fail`);
  if (now.droppedPerSecond > 0) found.push(`${perSecond(now.droppedPerSecond)} dropped`);
  return found;
}
