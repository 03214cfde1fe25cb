import { setImmediate } from "node:timers/promises";
import { FifoQueue, instrument, metricProducer, PriorityQueue, Watchdog, WorkerPool } from "queuescope";
import { GOALS } from "../goals.js";
import { compare, cpuMicros } from "../harness.js";
import { LIMIT } from "../report.js";
import type { Row, Scenario } from "../scenario.js";
import { held } from "../weigh.js";

const ITEMS = 10_000_000;
/** Puts between two turns of the event loop. */
const SLICE = 1_000;
/** A put that took as many milliseconds is compared with the same one of another queue. */
const LONG_MS = 0.5;
const WORKERS = 8;
/** One item for all: what is weighed and timed is the queue's own. */
const ITEM = {};

type Queue = FifoQueue<object> | PriorityQueue<object>;

interface Kind {
  readonly make: () => Queue;
  readonly options: (i: number) => { priority: number } | undefined;
}

const KINDS: Readonly<Record<string, Kind>> = {
  FIFO: { make: () => new FifoQueue<object>(), options: () => undefined },
  "wide priorities": {
    make: () => new PriorityQueue<object>(),
    options: (i) => ({ priority: (i * 7_919) % ITEMS }),
  },
};

/** CPU milliseconds. */
async function took(work: () => unknown): Promise<number> {
  const before = cpuMicros();
  await work();
  return (cpuMicros() - before) / 1_000;
}

/** Puts that were long, in CPU milliseconds. */
async function fill(queue: Queue, options: Kind["options"]): Promise<Map<number, number>> {
  const long = new Map<number, number>();
  for (let i = 0; i < ITEMS; i++) {
    const before = cpuMicros();
    queue.tryPut(ITEM, options(i));
    const ms = (cpuMicros() - before) / 1_000;
    if (ms > LONG_MS) long.set(i, ms);
    if (i % SLICE === 0) await setImmediate();
  }
  return long;
}

/** What a queue does itself it does in every one at the same depth; a collection of garbage comes at another. */
function longestInBoth(one: Map<number, number>, other: Map<number, number>): number {
  return Math.max(0, ...[...one].map(([i, ms]) => Math.min(ms, other.get(i) ?? 0)));
}

function deepScenario(kind: string, isWatched: boolean): Scenario {
  const name = `${kind}, ${isWatched ? "watched" : "bare"}`;
  const { make, options } = KINDS[kind]!;
  return {
    name,
    isSlow: true,
    async run() {
      const watchdog = new Watchdog();
      const sla = { default: { targetMs: 3_600_000 } };
      const watch = (queue: Queue, id: number) => {
        instrument<object>(queue, { name: `deep.${id}`, traces: "never", sla });
        watchdog.watch<object>(queue);
      };
      watchdog.start();
      const filled = async (queue: Queue, id: number) => {
        if (isWatched) watch(queue, id);
        return fill(queue, options);
      };
      const first = await filled(make(), 0);
      const before = await held();
      const queue = make();
      const put = longestInBoth(first, await filled(queue, 1));
      const full = await held();
      const watching = isWatched ? 0 : await took(() => watch(queue, 2));
      const health = await took(() => queue.health());
      const scrape = await took(() => metricProducer().collect());
      const drain = await took(() => new WorkerPool(queue, async () => {}, { concurrency: WORKERS }).drain());
      const left = await held();
      await watchdog.stop();
      const row = (what: string, ours: number, unit: Row["unit"], limit?: number) =>
        compare({
          case: `${name}: ${what}`,
          ours: [ours],
          peer: limit ?? ours,
          peerName: LIMIT,
          unit,
          goal: limit === undefined ? undefined : 1,
        });
      const { onePutMs, atOnceMs, memory } = GOALS;
      return {
        rows: [
          row("an item", (full - before) / ITEMS, "bytes"),
          row("the longest put", put, "ms", onePutMs),
          ...(isWatched ? [] : [row("instrumented and watched only then", watching, "ms", atOnceMs)]),
          row("health", health, "ms", atOnceMs),
          row("scrape", scrape, "ms", atOnceMs),
          row("an item through a pool", (drain * 1e6) / ITEMS, "ns"),
          row("drained", (left - before) / ITEMS, "bytes", memory.drainedBytes),
        ],
      };
    },
  };
}

/** A queue of ten million items: nothing stands still, and it gives its memory back. */
export const deep: readonly Scenario[] = Object.keys(KINDS).flatMap((kind) => [
  deepScenario(kind, false),
  deepScenario(kind, true),
]);
