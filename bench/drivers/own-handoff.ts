import { FifoQueue } from "queuescope";
import type { Contestant } from "../harness.js";
import { sink } from "./sink.js";

/** Our queue between two async functions, and two such functions with no queue between them. */
export function ownHandoff(capacity: number, items: number): Contestant[] {
  return [
    {
      name: "try path",
      make: () => {
        const queue = new FifoQueue<number>({ capacity });
        return async (cycles) => {
          for (let i = 0; i < cycles; i++)
            await Promise.all([tryToPut(queue, items), tryToGet(queue, items)]);
        };
      },
    },
    {
      name: "promise path",
      make: () => {
        const queue = new FifoQueue<number>({ capacity });
        return async (cycles) => {
          for (let i = 0; i < cycles; i++) await Promise.all([put(queue, items), get(queue, items)]);
        };
      },
    },
    {
      name: "floor",
      make: () => async (cycles) => {
        for (let i = 0; i < cycles; i++) await Promise.all([awaitNull(items), awaitNullToo(items)]);
      },
    },
  ];
}

/** Tries first, awaits only when it can't. */
async function tryToPut(queue: FifoQueue<number>, items: number): Promise<void> {
  for (let i = 0; i < items; i++) if (!queue.tryPut(i)) await queue.put(i);
}

async function tryToGet(queue: FifoQueue<number>, items: number): Promise<void> {
  for (let i = 0; i < items; i++) sink.sum += queue.tryGet() ?? (await queue.get());
}

async function put(queue: FifoQueue<number>, items: number): Promise<void> {
  for (let i = 0; i < items; i++) await queue.put(i);
}

async function get(queue: FifoQueue<number>, items: number): Promise<void> {
  for (let i = 0; i < items; i++) sink.sum += await queue.get();
}

async function awaitNull(items: number): Promise<void> {
  for (let i = 0; i < items; i++) await null;
}

async function awaitNullToo(items: number): Promise<void> {
  for (let i = 0; i < items; i++) sink.sum += (await null) ?? 1;
}
