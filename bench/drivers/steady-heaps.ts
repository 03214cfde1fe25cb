import { PriorityQueue } from "queuescope";
import type { Contestant } from "../harness.js";
import { type Item, type Load, MASK, settled } from "./heap-load.js";
import { fastpriorityqueue, flatqueue, heapJs, mnemonist, storage, tinyqueue } from "./stable-heaps.js";

/** Takes of a steady load in one cycle. */
export const STEADY_ITEMS = 1000;

/**
 * At a constant depth: takes an item and puts it back. With few levels its new priority is random, with wide keys it is later
 * than its last one by a random step. Every contestant has source of its own, because V8's feedback belongs to the source.
 */
export function steady(load: Load): Contestant[] {
  const { stream, keys } = load;
  const grows = keys === "wide";
  return [
    {
      name: "PriorityQueue",
      make: () => {
        const queue = new PriorityQueue<Item>();
        const options = { priority: 0 };
        for (const item of settled(load)) queue.tryPut(item, { priority: item.priority });
        let next = load.depth;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            const item = queue.tryGet()!;
            const priority = grows ? item.priority + stream[next++ & MASK]! : stream[next++ & MASK]!;
            item.priority = priority;
            options.priority = priority;
            queue.tryPut(item, options);
          }
        };
      },
    },
    {
      name: "storage",
      make: () => {
        const store = storage();
        const place = { priority: 0, tier: 0 };
        for (const item of settled(load)) {
          place.priority = item.priority;
          store.push(item, Number.NaN, undefined, place);
        }
        let next = load.depth;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            const item = store.shift();
            const priority = grows ? item.priority + stream[next++ & MASK]! : stream[next++ & MASK]!;
            item.priority = priority;
            place.priority = priority;
            store.push(item, Number.NaN, undefined, place);
          }
        };
      },
    },
    {
      name: "tinyqueue",
      make: () => {
        const queue = tinyqueue();
        for (const item of settled(load)) queue.push(item);
        let next = load.depth;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            const item = queue.pop()!;
            const priority = grows ? item.priority + stream[next & MASK]! : stream[next & MASK]!;
            item.priority = priority;
            item.sequence = next++;
            queue.push(item);
          }
        };
      },
    },
    {
      name: "mnemonist",
      make: () => {
        const queue = mnemonist();
        for (const item of settled(load)) queue.push(item);
        let next = load.depth;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            const item = queue.pop()!;
            const priority = grows ? item.priority + stream[next & MASK]! : stream[next & MASK]!;
            item.priority = priority;
            item.sequence = next++;
            queue.push(item);
          }
        };
      },
    },
    {
      name: "fastpriorityqueue",
      make: () => {
        const queue = fastpriorityqueue();
        for (const item of settled(load)) queue.add(item);
        let next = load.depth;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            const item = queue.poll()!;
            const priority = grows ? item.priority + stream[next & MASK]! : stream[next & MASK]!;
            item.priority = priority;
            item.sequence = next++;
            queue.add(item);
          }
        };
      },
    },
    {
      name: "heap-js",
      make: () => {
        const queue = heapJs();
        for (const item of settled(load)) queue.push(item);
        let next = load.depth;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            const item = queue.pop()!;
            const priority = grows ? item.priority + stream[next & MASK]! : stream[next & MASK]!;
            item.priority = priority;
            item.sequence = next++;
            queue.push(item);
          }
        };
      },
    },
    {
      name: "flatqueue",
      make: () => {
        const queue = flatqueue();
        for (const item of settled(load)) queue.push(item, item.priority);
        let next = load.depth;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            const item = queue.pop()!;
            const priority = grows ? item.priority + stream[next++ & MASK]! : stream[next++ & MASK]!;
            item.priority = priority;
            queue.push(item, priority);
          }
        };
      },
    },
  ];
}
