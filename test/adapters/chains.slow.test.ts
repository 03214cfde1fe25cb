import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { context, trace } from "@opentelemetry/api";
import { type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import async from "async";
import fastq, { type done as Done } from "fastq";
import PQueue from "p-queue";
import { afterEach, describe, expect, it } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { type InstrumentOptions, instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { withCorrelationId } from "../../src/telemetry/context/correlation.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { registerContextManager } from "../support/telemetry-capture.js";

/*
 * A job that adds the next one, as a poller or a crawler does: what the next one keeps of its context leads to the one before it. Whatever
 * a task that is over still holds of its own producer is held for ever. The heap is measured inside the chain: when that has ended, all
 * of it is free.
 */

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** A short form, unless `CHAIN_JOBS` says otherwise: `npm run test:chains` has 100,000. */
const JOBS = Number(process.env.CHAIN_JOBS ?? 20_000);
/** Where there are enough others. */
const FEWER_JOBS = JOBS / 2;
/** By then everything is compiled, and has the size that it keeps; what a watchdog takes once comes within its first second. */
const WARM = Math.max(4_000, JOBS / 10);
/** No object that could be kept per job is smaller; what the heap varies by between two looks is far less than all of that. */
const MAX_BYTES_A_JOB = 24;

type Kind = "own" | "foreign";
/** What each job does with its number: the next one must be added, unless it says no. */
type Work = (job: number) => Promise<boolean>;
/** Starts a chain, on a queue that it shows first. */
type Start = (options: InstrumentOptions, work: Work, show: (queue: object) => void) => unknown;

const OWN = {
  fifo: () => new FifoQueue<Item>(),
  lifo: () => new LifoQueue<Item>(),
  priority: () => new PriorityQueue<Item>(),
};

/** An item that leads to nothing but its number. */
interface Item {
  readonly job: number;
}

class Line {
  readonly items: Item[] = [];
  add(item: Item): void {
    this.items.push(item);
  }
  next(): Item | undefined {
    return this.items.shift();
  }
  get size(): number {
    return this.items.length;
  }
}

const CHAINS: Readonly<Record<string, readonly [Kind, Start]>> = {
  "a p-queue": [
    "foreign",
    (options, work, show) => {
      const queue = instrument(new PQueue({ concurrency: 1 }), options);
      show(queue);
      const add = (job: number): unknown =>
        queue.add(async () => {
          if (await work(job)) add(job + 1);
        });
      add(0);
    },
  ],
  "a p-queue with IDs, priorities, timeouts and a signal for each": [
    "foreign",
    (options, work, show) => {
      const queue = instrument(new PQueue({ concurrency: 1 }), options);
      show(queue);
      const add = (job: number): unknown =>
        queue.add(
          async () => {
            if (await work(job)) add(job + 1);
          },
          {
            id: String(job),
            priority: job % 3,
            timeout: 60_000,
            signal: new AbortController().signal,
          },
        );
      add(0);
    },
  ],
  "a fastq with callbacks": [
    "foreign",
    (options, work, show) => {
      const worker = (item: Item, done: Done) => {
        void work(item.job).then((goesOn) => {
          if (goesOn) queue.push({ job: item.job + 1 }, () => {});
          done(null);
        });
      };
      const queue = instrument(fastq(instrumentHandler(worker, { name: options.name }), 1), options);
      show(queue);
      queue.push({ job: 0 }, () => {});
    },
  ],
  "a fastq with callbacks, whose worker is bare": [
    "foreign",
    (options, work, show) => {
      const worker = (item: Item, done: Done) => {
        void work(item.job).then((goesOn) => {
          if (goesOn) queue.push({ job: item.job + 1 }, () => {});
          done(null);
        });
      };
      const queue = instrument(fastq(worker, 1), options);
      show(queue);
      queue.push({ job: 0 }, () => {});
    },
  ],
  "a fastq.promise": [
    "foreign",
    (options, work, show) => {
      const worker = async (item: Item) => {
        if (await work(item.job)) void queue.push({ job: item.job + 1 });
      };
      const queue = instrument(fastq.promise(instrumentHandler(worker, { name: options.name }), 1), options);
      show(queue);
      void queue.push({ job: 0 });
    },
  ],
  "a fastq.promise, whose worker is bare": [
    "foreign",
    (options, work, show) => {
      const worker = async (item: Item) => {
        if (await work(item.job)) void queue.unshift({ job: item.job + 1 });
      };
      const queue = instrument(fastq.promise(worker, 1), options);
      show(queue);
      void queue.push({ job: 0 });
    },
  ],
  "an async.queue": [
    "foreign",
    (options, work, show) => {
      const worker = async (item: Item) => {
        if (await work(item.job)) void queue.push({ job: item.job + 1 });
      };
      const queue = instrument(async.queue(instrumentHandler(worker, { name: options.name }), 1), options);
      show(queue);
      void queue.push({ job: 0 });
    },
  ],
  "an async.priorityQueue": [
    "foreign",
    (options, work, show) => {
      const worker = async (item: Item) => {
        if (await work(item.job)) void queue.push({ job: item.job + 1 }, item.job % 3);
      };
      const queue = instrument(
        async.priorityQueue(instrumentHandler(worker, { name: options.name }), 1),
        options,
      );
      show(queue);
      void queue.push({ job: 0 }, 0);
    },
  ],
  "a generic queue": [
    "foreign",
    async (options, work, show) => {
      const adapter = generic<Line>({ put: "add", get: "next", size: "size" });
      const queue = instrument(new Line(), { ...options, adapter });
      show(queue);
      const handle = instrumentHandler(
        async (item: Item) => {
          if (await work(item.job)) queue.add({ job: item.job + 1 });
        },
        { name: options.name },
      );
      queue.add({ job: 0 });
      for (let item = queue.next(); item !== undefined; item = queue.next()) await handle(item);
    },
  ],
  ...Object.fromEntries(
    Object.entries(OWN).flatMap(([kind, makeBare]): [string, readonly [Kind, Start]][] => {
      const make = (options: InstrumentOptions, show: (queue: object) => void) => {
        const queue: FifoQueue<Item> = instrument(makeBare() as never, options);
        show(queue);
        return queue;
      };
      const chains: [string, readonly [Kind, Start]][] = [
        [
          `a pool on a ${kind} queue`,
          [
            "own",
            async (options, work, show) => {
              const queue = make(options, show);
              const pool = new WorkerPool(queue, async ({ job }) => {
                if (await work(job)) await queue.put({ job: job + 1 });
                else queue.shutdown();
              });
              show(pool);
              await queue.put({ job: 0 });
              await queue.join();
            },
          ],
        ],
        [
          `a pool on a ${kind} queue that tries one item again and again`,
          [
            "own",
            async (options, work, show) => {
              const queue = make(options, show);
              const pool = new WorkerPool(
                queue,
                async (_item, task) => {
                  if (await work(task.attempt - 1)) throw new Error("once more");
                  queue.shutdown();
                },
                { retry: { attempts: 2 * JOBS, backoff: { initialMs: 0, maxMs: 0 } } },
              );
              show(pool);
              await queue.put({ job: 0 });
              await queue.join();
            },
          ],
        ],
        [
          `deliveries of a ${kind} queue`,
          [
            "own",
            async (options, work, show) => {
              const queue = make(options, show);
              await queue.put({ job: 0 });
              for await (const delivery of queue.deliveries()) {
                await delivery.run(async () => {
                  if (await work(delivery.item.job)) await queue.put({ job: delivery.item.job + 1 });
                  else queue.shutdown();
                });
                delivery.done();
              }
            },
          ],
        ],
        [
          `each receive of a ${kind} queue within the one before it`,
          [
            "own",
            async (options, work, show) => {
              const queue = make(options, show);
              await queue.put({ job: 0 });
              const receive = async (): Promise<void> => {
                const delivery = await queue.receive();
                void delivery.run(async () => {
                  const goesOn = await work(delivery.item.job);
                  if (goesOn) {
                    await queue.put({ job: delivery.item.job + 1 });
                    void receive();
                  }
                  delivery.done();
                });
              };
              await receive();
            },
          ],
        ],
        [
          `each receive of a ${kind} queue within the one before it, whose item is given back`,
          [
            "own",
            async (options, work, show) => {
              const queue = make(options, show);
              await queue.put({ job: 0 });
              const receive = async (): Promise<void> => {
                const delivery = await queue.receive();
                void delivery.run(async () => {
                  if (await work(delivery.attempt - 1)) {
                    delivery.retry();
                    void receive();
                  } else delivery.done();
                });
              };
              await receive();
            },
          ],
        ],
      ];
      // The queues differ in their storage alone.
      const isFirst = kind === "fifo";
      return chains.filter(([chain]) => isFirst || /^(a pool on a \w+ queue|deliveries .*)$/.test(chain));
    }),
  ),
};

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** Spans are recorded, and thrown away. */
function startSdk(): void {
  const processor: SpanProcessor = {
    onStart: () => {},
    onEnd: () => {},
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = new TracerProvider({ spanProcessors: [processor] });
  registerContextManager();
  trace.setGlobalTracerProvider(provider);
  ends.push(() => {
    trace.disable();
    context.disable();
    return provider.shutdown();
  });
}

function startWatchdog(): Watchdog {
  const watchdog = new Watchdog({ everyMs: 50 }).start();
  ends.push(() => watchdog.stop());
  return watchdog;
}

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    await turn();
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

/** How much more a job takes for each that was before it. */
async function bytesAJob(
  start: Start,
  options: InstrumentOptions,
  jobs: number,
  watchdog?: Watchdog,
): Promise<number> {
  let warm = 0;
  return new Promise((resolve, reject) => {
    const work: Work = async (job) => {
      // A turn now and then, as real work has them: a watchdog can look, and doesn't find the loop blocked.
      await (job % 50 === 0 ? turn() : null);
      if (job === WARM) warm = await heapUsed();
      if (job < jobs) return true;
      resolve(((await heapUsed()) - warm) / (jobs - WARM));
      return false;
    };
    const begin = () =>
      start(options, work, (shown) => {
        watchdog?.watch(shown as never);
      });
    // As in a request: with an ID, and with a store of the user's.
    Promise.resolve(withCorrelationId("request", () => new AsyncLocalStorage().run({}, begin))).catch(reject);
  });
}

let count = 0;

describe.each([
  { sdk: "without an SDK", watchdog: "without a watchdog", jobs: JOBS },
  { sdk: "without an SDK", watchdog: "with a watchdog", jobs: FEWER_JOBS },
  { sdk: "with an SDK", watchdog: "without a watchdog", jobs: FEWER_JOBS },
  { sdk: "with an SDK", watchdog: "with a watchdog", jobs: JOBS },
])("$sdk, $watchdog, a job that adds the next one keeps nothing of those before it, in", (which) => {
  it.each(Object.keys(CHAINS))("%s", async (chain) => {
    if (which.sdk === "with an SDK") startSdk();
    const watchdog = which.watchdog === "with a watchdog" ? startWatchdog() : undefined;
    const name = `chain-${count++}`;
    expect(await bytesAJob(CHAINS[chain]![1], { name }, which.jobs, watchdog)).toBeLessThan(MAX_BYTES_A_JOB);
  });
});

describe("with its async context the other way round, a job that adds the next one keeps nothing of those before it, in", () => {
  it.each(Object.keys(CHAINS))("%s", async (chain) => {
    const [kind, start] = CHAINS[chain]!;
    const asyncContext = kind === "own" ? "producer" : "worker";
    expect(await bytesAJob(start, { name: `chain-${count++}`, asyncContext }, FEWER_JOBS)).toBeLessThan(
      MAX_BYTES_A_JOB,
    );
  });
});
