import Denque from "denque";
import FastFifo from "fast-fifo";
import { FifoQueue } from "queuescope";
import YoctoQueue from "yocto-queue";
import type { Contestant } from "../harness.js";
import { compiled } from "./compiled.js";

const { Deque } = await compiled<typeof import("../../src/queue/storage/deque.js")>("queue/storage/deque.ts");

/** How deep the storage is filled, and how many items are put before the same number is taken. */
export interface Wave {
  readonly standing: number;
  readonly burst: number;
}

interface Item {
  readonly id: number;
}

function itemsOf(count: number): Item[] {
  return Array.from({ length: count }, (_, id) => ({ id }));
}

/** Storage under the same waves; every contestant has source of its own, because V8's feedback belongs to the source. */
export function fifos({ standing, burst }: Wave): Contestant[] {
  return [
    {
      name: "Deque",
      make: () => {
        const store = new Deque<Item>();
        const items = itemsOf(burst);
        for (const item of itemsOf(standing)) store.push(item, 0, undefined);
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (let i = 0; i < burst; i++) store.push(items[i]!, 0, undefined);
            for (let i = 0; i < burst; i++) items[i] = store.shift();
          }
        };
      },
    },
    {
      name: "FifoQueue",
      make: () => {
        const store = new FifoQueue<Item>();
        const items = itemsOf(burst);
        for (const item of itemsOf(standing)) store.tryPut(item);
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (let i = 0; i < burst; i++) store.tryPut(items[i]!);
            for (let i = 0; i < burst; i++) items[i] = store.tryGet()!;
          }
        };
      },
    },
    {
      name: "denque",
      make: () => {
        const store = new Denque<Item>();
        const items = itemsOf(burst);
        for (const item of itemsOf(standing)) store.push(item);
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (let i = 0; i < burst; i++) store.push(items[i]!);
            for (let i = 0; i < burst; i++) items[i] = store.shift()!;
          }
        };
      },
    },
    {
      name: "fast-fifo",
      make: () => {
        const store = new FastFifo<Item>();
        const items = itemsOf(burst);
        for (const item of itemsOf(standing)) store.push(item);
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (let i = 0; i < burst; i++) store.push(items[i]!);
            for (let i = 0; i < burst; i++) items[i] = store.shift()!;
          }
        };
      },
    },
    {
      name: "yocto-queue",
      make: () => {
        const store = new YoctoQueue<Item>();
        const items = itemsOf(burst);
        for (const item of itemsOf(standing)) store.enqueue(item);
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (let i = 0; i < burst; i++) store.enqueue(items[i]!);
            for (let i = 0; i < burst; i++) items[i] = store.dequeue()!;
          }
        };
      },
    },
  ];
}
