import { PriorityQueue } from "queuescope";
import type { Contestant } from "../harness.js";
import { blank, type Item, type Load, MASK } from "./heap-load.js";
import { fastpriorityqueue, flatqueue, heapJs, mnemonist, storage, tinyqueue } from "./stable-heaps.js";

/**
 * Puts as many items as the depth says, with random priorities, then takes them all. Every contestant has source of its own,
 * because V8's feedback belongs to the source.
 */
export function burst(load: Load): Contestant[] {
  const { stream, depth } = load;
  return [
    {
      name: "PriorityQueue",
      make: () => {
        const queue = new PriorityQueue<Item>();
        const options = { priority: 0 };
        const items = blank(load);
        let next = 0;
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (const item of items) {
              const priority = stream[next++ & MASK]!;
              item.priority = priority;
              options.priority = priority;
              queue.tryPut(item, options);
            }
            for (let i = 0; i < depth; i++) items[i] = queue.tryGet()!;
          }
        };
      },
    },
    {
      name: "storage",
      make: () => {
        const store = storage();
        const items = blank(load);
        const place = { priority: 0, tier: 0 };
        let next = 0;
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (const item of items) {
              const priority = stream[next++ & MASK]!;
              item.priority = priority;
              place.priority = priority;
              store.push(item, Number.NaN, undefined, place);
            }
            for (let i = 0; i < depth; i++) items[i] = store.shift();
          }
        };
      },
    },
    {
      name: "tinyqueue",
      make: () => {
        const queue = tinyqueue();
        const items = blank(load);
        let next = 0;
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (const item of items) {
              const priority = stream[next & MASK]!;
              item.priority = priority;
              item.sequence = next++;
              queue.push(item);
            }
            for (let i = 0; i < depth; i++) items[i] = queue.pop()!;
          }
        };
      },
    },
    {
      name: "mnemonist",
      make: () => {
        const queue = mnemonist();
        const items = blank(load);
        let next = 0;
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (const item of items) {
              const priority = stream[next & MASK]!;
              item.priority = priority;
              item.sequence = next++;
              queue.push(item);
            }
            for (let i = 0; i < depth; i++) items[i] = queue.pop()!;
          }
        };
      },
    },
    {
      name: "fastpriorityqueue",
      make: () => {
        const queue = fastpriorityqueue();
        const items = blank(load);
        let next = 0;
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (const item of items) {
              const priority = stream[next & MASK]!;
              item.priority = priority;
              item.sequence = next++;
              queue.add(item);
            }
            for (let i = 0; i < depth; i++) items[i] = queue.poll()!;
          }
        };
      },
    },
    {
      name: "heap-js",
      make: () => {
        const queue = heapJs();
        const items = blank(load);
        let next = 0;
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (const item of items) {
              const priority = stream[next & MASK]!;
              item.priority = priority;
              item.sequence = next++;
              queue.push(item);
            }
            for (let i = 0; i < depth; i++) items[i] = queue.pop()!;
          }
        };
      },
    },
    {
      name: "flatqueue",
      make: () => {
        const queue = flatqueue();
        const items = blank(load);
        let next = 0;
        return (cycles) => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            for (const item of items) {
              const priority = stream[next++ & MASK]!;
              item.priority = priority;
              queue.push(item, priority);
            }
            for (let i = 0; i < depth; i++) items[i] = queue.pop()!;
          }
        };
      },
    },
  ];
}
