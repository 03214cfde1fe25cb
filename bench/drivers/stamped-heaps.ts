import FastPriorityQueue from "fastpriorityqueue";
import { Heap as HeapJs } from "heap-js";
import { Heap as MnemonistHeap } from "mnemonist";
import { PriorityQueue } from "queuescope";
import TinyQueue from "tinyqueue";
import type { Contestant } from "../harness.js";
import { type Load, MASK, settled } from "./heap-load.js";
import { STEADY_ITEMS } from "./steady-heaps.js";

/** The user's: nothing of the queue is written on it. */
interface Job {
  readonly id: number;
}

/** What a peer without stable ties needs for each put. */
interface Entry {
  readonly job: Job;
  readonly priority: number;
  readonly sequence: number;
}

const JOB: Job = { id: 1 };
const SINK = { jobs: 0 };

/** One comparator for each peer: a shared one would change what is measured. */
const tinyOrder = (a: Entry, b: Entry) => a.priority - b.priority || a.sequence - b.sequence;
const mnemonistOrder = (a: Entry, b: Entry) => a.priority - b.priority || a.sequence - b.sequence;
const heapJsOrder = (a: Entry, b: Entry) => a.priority - b.priority || a.sequence - b.sequence;
const fastOrder = (a: Entry, b: Entry) =>
  a.priority < b.priority || (a.priority === b.priority && a.sequence < b.sequence);

/** At a constant depth: takes a job, and puts one at a random distance behind the front, which moves on at a steady pace. */
export function stamped(load: Load): Contestant[] {
  const { stream } = load;
  const entries = () => settled(load).map(({ priority, sequence }) => ({ job: JOB, priority, sequence }));
  return [
    {
      name: "PriorityQueue",
      make: () => {
        const queue = new PriorityQueue<Job>();
        const options = { priority: 0 };
        for (const { priority } of entries()) queue.tryPut(JOB, { priority });
        let next = load.depth;
        let time = 0;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            SINK.jobs += queue.tryGet()!.id;
            time += 1 / load.depth / 2;
            options.priority = time + stream[next++ & MASK]!;
            queue.tryPut(JOB, options);
          }
        };
      },
    },
    {
      name: "tinyqueue",
      make: () => {
        const queue = new TinyQueue<Entry>([], tinyOrder);
        for (const entry of entries()) queue.push(entry);
        let next = load.depth;
        let time = 0;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            SINK.jobs += queue.pop()!.job.id;
            time += 1 / load.depth / 2;
            queue.push({ job: JOB, priority: time + stream[next & MASK]!, sequence: next++ });
          }
        };
      },
    },
    {
      name: "mnemonist",
      make: () => {
        const queue = new MnemonistHeap<Entry>(mnemonistOrder);
        for (const entry of entries()) queue.push(entry);
        let next = load.depth;
        let time = 0;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            SINK.jobs += queue.pop()!.job.id;
            time += 1 / load.depth / 2;
            queue.push({ job: JOB, priority: time + stream[next & MASK]!, sequence: next++ });
          }
        };
      },
    },
    {
      name: "fastpriorityqueue",
      make: () => {
        const queue = new FastPriorityQueue<Entry>(fastOrder);
        for (const entry of entries()) queue.add(entry);
        let next = load.depth;
        let time = 0;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            SINK.jobs += queue.poll()!.job.id;
            time += 1 / load.depth / 2;
            queue.add({ job: JOB, priority: time + stream[next & MASK]!, sequence: next++ });
          }
        };
      },
    },
    {
      name: "heap-js",
      make: () => {
        const queue = new HeapJs<Entry>(heapJsOrder);
        for (const entry of entries()) queue.push(entry);
        let next = load.depth;
        let time = 0;
        return (cycles) => {
          for (let i = cycles * STEADY_ITEMS; i > 0; i--) {
            SINK.jobs += queue.pop()!.job.id;
            time += 1 / load.depth / 2;
            queue.push({ job: JOB, priority: time + stream[next & MASK]!, sequence: next++ });
          }
        };
      },
    },
  ];
}
