import fastq from "fastq";
import PQueue from "p-queue";
import { FifoQueue, instrument, WorkerPool } from "queuescope";
import { calibrate, work as compute } from "../drivers/native-work.js";
import { registerContext, registerMetrics } from "../drivers/telemetry.js";
import { GOALS } from "../goals.js";
import { AGAIN, compare, cpuMicros } from "../harness.js";
import { LIMIT } from "../report.js";
import type { Scenario } from "../scenario.js";
import { quantile, randoms, shuffled } from "../statistics.js";

/** CPU time of one task, in microseconds. */
const WORK_MICROS = 100;
/** Tasks in a round. */
const TASKS = 200;
/** Of each block of rounds one figure comes: the difference between what the calmer rounds of both sides take. */
const BLOCKS = { full: 8, quick: 2 };
const ROUNDS = { full: 12, quick: 4 };
const CALM = 0.3;

/** Runs all tasks of one round. */
type Round = () => Promise<void>;

async function task(): Promise<void> {
  compute();
}

async function loop(): Promise<void> {
  for (let i = 0; i < TASKS; i++) await task();
}

function pool(queue: FifoQueue<number>): Round {
  new WorkerPool(queue, task);
  return async () => {
    for (let i = 0; i < TASKS; i++) queue.tryPut(i);
    await queue.join();
  };
}

function pQueue(queue: PQueue): Round {
  return async () => {
    const tasks: Promise<void>[] = [];
    for (let i = 0; i < TASKS; i++) tasks.push(queue.add(task));
    await Promise.all(tasks);
  };
}

function fastqCallback(): Round {
  const queue = fastq<unknown, number>((_, done) => {
    task().then(() => done(null), done);
  }, 1);
  return () =>
    new Promise((resolve) => {
      for (let i = 1; i < TASKS; i++) queue.push(i);
      queue.push(0, () => resolve());
    });
}

const name = "bench.work";
const WAYS = {
  "fastq, async handler": fastqCallback,
  "bare pool": () => pool(new FifoQueue<number>()),
  "instrumented pool": () => pool(instrument(new FifoQueue<number>(), { name, traces: "never" })),
  "p-queue": () => pQueue(new PQueue({ concurrency: 1 })),
  "wrapped p-queue": () => pQueue(instrument(new PQueue({ concurrency: 1 }), { name, traces: "never" })),
} as const satisfies Record<string, () => Round>;

/** Two ways by turns, from the first round on: code that isn't compiled yet counts. */
function scenario(ours: keyof typeof WAYS, base: keyof typeof WAYS | "loop", most?: number): Scenario {
  const name = `${ours} against ${base === "loop" ? "a plain loop" : base}`;
  return {
    name,
    isSlow: most === undefined,
    async run({ quick }) {
      registerMetrics();
      registerContext();
      calibrate(WORK_MICROS);
      const peer = base === "loop" ? loop : WAYS[base]();
      const lanes = { ours: WAYS[ours](), peer, again: peer };
      const [blocks, rounds] = quick ? [BLOCKS.quick, ROUNDS.quick] : [BLOCKS.full, ROUNDS.full];
      const random = randoms(3);
      const added = { ours: [] as number[], again: [] as number[] };
      for (let block = 0; block < blocks; block++) {
        const micros = { ours: [] as number[], peer: [] as number[], again: [] as number[] };
        for (let round = 0; round < rounds; round++) {
          for (const lane of shuffled(["ours", "peer", "again"] as const, random)) {
            const before = cpuMicros();
            await lanes[lane]();
            micros[lane].push((cpuMicros() - before) / TASKS);
          }
        }
        const base = quantile(micros.peer, CALM);
        for (const lane of ["ours", "again"] as const) {
          added[lane].push((100 * (quantile(micros[lane], CALM) - base)) / base);
        }
      }
      return {
        rows: [
          compare({ case: name, ours: added.again, peer: 0, peerName: AGAIN, unit: "%" }),
          compare({
            case: name,
            ours: added.ours,
            peer: most ?? 0,
            peerName: LIMIT,
            goal: most === undefined ? undefined : 1,
            unit: "%",
          }),
        ],
      };
    },
  };
}

/** What a user feels: CPU time added to a task of 100 µs, in percent of it. */
export const work: readonly Scenario[] = [
  scenario("instrumented pool", "loop", GOALS.work.instrumentedPool),
  scenario("wrapped p-queue", "p-queue", GOALS.work.wrappedPQueue),
  scenario("bare pool", "loop"),
  scenario("fastq, async handler", "loop"),
  scenario("p-queue", "loop"),
  scenario("wrapped p-queue", "loop"),
];
