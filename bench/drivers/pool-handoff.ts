import { FifoQueue, instrument, WorkerPool } from "queuescope";
import type { Contestant } from "../harness.js";
import { sink } from "./sink.js";

/** Our worker pool on a bare queue. */
export function barePool(capacity: number, items: number, concurrency: number): Contestant {
  return { name: "pool", make: () => drive(new FifoQueue<number>({ capacity }), items, concurrency) };
}

/** The same, with metrics and context, and without spans. */
export function instrumentedPool(capacity: number, items: number, concurrency: number): Contestant {
  return {
    name: "pool",
    make: () => {
      const queue = instrument(new FifoQueue<number>({ capacity }), { name: "bench.pool", traces: "never" });
      return drive(queue, items, concurrency);
    },
  };
}

function drive(queue: FifoQueue<number>, items: number, concurrency: number) {
  const handler = async (item: number) => {
    sink.sum += item;
  };
  new WorkerPool(queue, handler, { concurrency });
  return async (cycles: number) => {
    for (let i = cycles * items; i > 0; i--) {
      if (!queue.tryPut(i)) await queue.put(i);
      if (i % items === 1) await queue.join();
    }
  };
}
