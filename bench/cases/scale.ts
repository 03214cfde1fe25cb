import { FifoQueue, instrument, PriorityQueue, Watchdog } from "queuescope";
import { startTelemetry } from "queuescope/sdk";
import { compare, cpuMicros } from "../harness.js";
import { LIMIT } from "../report.js";
import type { Row, Scenario } from "../scenario.js";

const QUEUES = 1_000;
const TIERS = { a: 0, b: 1, c: 2, d: 3, e: 4 } as const;
const ROUNDS = 5;
const ITEMS = 1_000_000;
const LIMIT_SCRAPE_MS = 200;
const LIMIT_LOOK_MS = 5;
const LIMIT_PUT_MS = 5;
const LOOK_EVERY_MS = 100;
const LOOKS = 20;

function manyQueues(name: string): PriorityQueue<object, keyof typeof TIERS>[] {
  return Array.from({ length: QUEUES }, (_, i) => {
    const queue = instrument(
      new PriorityQueue<object, keyof typeof TIERS>({ capacity: 1_000, tiers: TIERS }),
      {
        name: `bench.${name}.${i}`,
        traces: "never",
        sla: { default: { targetMs: 3_600_000 } },
      },
    );
    for (const tier of Object.keys(TIERS) as (keyof typeof TIERS)[]) queue.tryPut({}, { tier });
    queue.tryGet();
    return queue;
  });
}

function row(name: string, ours: readonly number[], limit: number): Row {
  return compare({ case: name, ours, peer: limit, peerName: LIMIT, goal: 1, unit: "ms" });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const scrape: Scenario = {
  name: "scrape, 1k queues",
  async run() {
    const telemetry = await startTelemetry({ serviceName: "bench", prometheus: { port: 0 } });
    const queues = manyQueues("scrape");
    const spent: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const before = cpuMicros();
      // The answer is read in this process, and that counts, too.
      const response = await fetch(telemetry.url!);
      for await (const _ of response.body!);
      if (round > 0) spent.push((cpuMicros() - before) / 1_000);
    }
    await telemetry.shutdown();
    return { rows: [row(`scrape, ${queues.length} queues of 5 tiers, CPU`, spent, LIMIT_SCRAPE_MS)] };
  },
};

const look: Scenario = {
  name: "watchdog, 1k queues",
  async run() {
    const queues = manyQueues("look");
    const watchdog = new Watchdog({ everyMs: LOOK_EVERY_MS });
    for (const queue of queues) watchdog.watch(queue);
    watchdog.start();
    const spent: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const before = cpuMicros();
      await wait(LOOKS * LOOK_EVERY_MS);
      if (round > 0) spent.push((cpuMicros() - before) / 1_000 / LOOKS);
    }
    await watchdog.stop();
    return {
      rows: [row(`watchdog, ${queues.length} queues of 5 tiers, CPU of a look`, spent, LIMIT_LOOK_MS)],
    };
  },
};

/** The puts that ever made arrays twice as long are the ones that take longest: the median over fresh queues of each one's worst put. */
const put: Scenario = {
  name: "one put at depth",
  isSlow: true,
  run() {
    const rows = (["FIFO", "wide priorities"] as const).map((kind) => {
      const worst: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const queue = kind === "FIFO" ? new FifoQueue<object>() : new PriorityQueue<object>();
        const item = {};
        let longest = 0;
        for (let i = 0; i < ITEMS; i++) {
          const options = kind === "FIFO" ? undefined : { priority: (i * 7_919) % ITEMS };
          const before = cpuMicros();
          queue.tryPut(item, options);
          longest = Math.max(longest, cpuMicros() - before);
        }
        worst.push(longest / 1_000);
      }
      return row(`the longest of ${ITEMS} puts, ${kind}`, worst, LIMIT_PUT_MS);
    });
    return { rows };
  },
};

/** What must not stand still, nor keep the processor busy, when there is very much of it. */
export const scale: readonly Scenario[] = [scrape, look, put];
