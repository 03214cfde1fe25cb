import { setTimeout } from "node:timers/promises";
import type { Pace, Row } from "./scenario.js";
import { median, quartiles, randoms, shuffled } from "./statistics.js";

/** Runs `cycles` times `items` items through a contestant. */
export type Drive = (cycles: number) => void | Promise<void>;

export interface Contestant {
  readonly name: string;
  /** Makes a contestant's own state. Called twice. */
  readonly make: () => Drive;
}

export interface Course {
  /** Items in one cycle. */
  readonly items: number;
  readonly contestants: readonly Contestant[];
  /** Which contestant also runs against itself. */
  readonly twice?: string;
}

/** CPU nanoseconds per item, round by round, of each contestant. */
export type Samples = ReadonlyMap<string, readonly number[]>;

export const AGAIN = "A/A";
const WARM_UP_ROUNDS = 2;

interface Lane {
  readonly name: string;
  readonly drive: Drive;
  cycles: number;
  readonly samples: number[];
}

/** Microseconds of CPU time of the whole process, collector and compiler threads included. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Bytes of garbage that are worth a full collection. */
const HEAP_OF_GARBAGE = 32 * 2 ** 20;
const SWEEPING_MS = 30;
let heapAfterFull = 0;

/**
 * Leaves no garbage of one batch to be collected in the next. A young collection does, mostly: a full one also ages the code of
 * those contestants that are not running.
 */
export async function collect(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error("run me with node --expose-gc");
  globalThis.gc({ type: "minor" });
  if (process.memoryUsage().heapUsed < heapAfterFull + HEAP_OF_GARBAGE) return;
  globalThis.gc();
  // Pages are swept and given back by other threads, whose time would count.
  await setTimeout(SWEEPING_MS);
  heapAfterFull = process.memoryUsage().heapUsed;
}

/** Interleaved rounds in one process, each in another order, so that none always comes after the same neighbour. */
export async function measure(course: Course, pace: Pace): Promise<Samples> {
  const lanes = lanesOf(course);
  for (const lane of lanes) await calibrate(lane, pace);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    // Where one cycle takes longer than a batch should, it has been enough to warm up.
    for (const lane of lanes) if (lane.cycles > 1) await batch(lane);
  }
  const random = randoms(5);
  const startedAt = performance.now();
  for (let round = 0; round < pace.mostRounds; round++) {
    if (round >= pace.fewestRounds && performance.now() - startedAt > pace.budgetMs) break;
    for (const lane of shuffled(lanes, random)) {
      lane.samples.push(((await batch(lane)) * 1000) / (lane.cycles * course.items));
    }
  }
  return new Map(lanes.map(({ name, samples }) => [name, samples]));
}

/**
 * Every contestant is made twice, also where only one of them runs: from the second time on V8 no longer compiles a drive for
 * the one queue that it has ever seen, and that would be an advantage over what also runs against itself.
 */
function lanesOf({ contestants, twice }: Course): Lane[] {
  return contestants.flatMap(({ name, make }) => {
    const names = name === twice ? [name, AGAIN] : [name];
    if (names.length === 1) make();
    return names.map((each) => ({ name: each, drive: make(), cycles: 1, samples: [] }));
  });
}

/** Runs until the code is warm, and finds out how many cycles take as long as a batch should. */
async function calibrate(lane: Lane, { batchMs, warmUpMs }: Pace): Promise<void> {
  const target = batchMs * 1000;
  let spent = 0;
  for (let total = 0; total < warmUpMs * 1000; total += spent) {
    spent = await batch(lane);
    lane.cycles = Math.max(1, Math.round(lane.cycles * Math.min(4, target / (spent + 1))));
  }
}

async function batch({ drive, cycles }: Lane): Promise<number> {
  await collect();
  const before = cpuMicros();
  const running = drive(cycles);
  if (running !== undefined) await running;
  return cpuMicros() - before;
}

/** What a row compares: samples by round, or a limit that is the same in every round. */
export interface Comparison {
  readonly case: string;
  readonly ours: readonly number[];
  readonly peer: readonly number[] | number;
  readonly peerName: string;
  readonly goal?: number | undefined;
  readonly unit?: Row["unit"];
}

/** Smaller differences are not told from nothing; also keeps ratios finite. */
const LEAST = 0.01;

/** Ratio of the medians, with the spread of the ratios by round. */
export function compare({ case: name, ours, peer, peerName, goal, unit = "ns" }: Comparison): Row {
  const theirs = typeof peer === "number" ? ours.map(() => peer) : peer;
  const ratio = Math.max(LEAST, median(theirs)) / Math.max(LEAST, median(ours));
  const byRound = ours.map((each, round) => Math.max(LEAST, theirs[round]!) / Math.max(LEAST, each));
  const [low, high] = quartiles(byRound);
  return {
    case: name,
    ours: median(ours),
    peer: median(theirs),
    peerName,
    ratio,
    goal: goal ?? null,
    spread: (high - low) / median(byRound),
    unit,
    isNoise: peerName === AGAIN,
  };
}

/** One contestant against each of the others that have samples; goals by the peer's name. */
export function duels(
  name: string,
  samples: Samples,
  ours: string,
  peers: readonly string[],
  goals: Readonly<Record<string, number>> = {},
): Row[] {
  return peers.map((peerName) =>
    compare({
      case: name,
      ours: samples.get(ours)!,
      peer: samples.get(peerName)!,
      peerName,
      goal: goals[peerName],
    }),
  );
}

/** What `more` takes beyond `base`, round by round. */
export function differences(more: readonly number[], base: readonly number[]): number[] {
  return more.map((value, round) => value - base[round]!);
}
