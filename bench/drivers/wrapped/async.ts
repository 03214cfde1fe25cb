import type * as Async from "async";
import type { Gate } from "../gate.js";
import { sink } from "../sink.js";
import { requireApart } from "./apart.js";
import type { Done, HandwrittenTasks, Stamp, Worker } from "./handwritten-tasks.js";
import { CONCURRENCY, type Lines } from "./line.js";

const async = requireApart<typeof Async>("async");

interface Envelope {
  readonly item: number;
  readonly stamp: Stamp;
}

const SETTLED = Promise.resolve(null);
const PRIORITIES = 4;

/** The worker ends in a later microtask. */
function workerFor(gate: Gate): Worker<number> {
  return (item, done) => {
    sink.sum += item;
    gate.leave();
    SETTLED.then(done);
  };
}

function around(tasks: HandwrittenTasks, worker: Worker<number>): (envelope: Envelope, done: Done) => void {
  return ({ item, stamp }, done) => tasks.call(stamp, worker, item, done);
}

/** async's queue. */
export const asyncQueue: Lines = {
  plain(gate, wrapping) {
    const worker = wrapping.worker(workerFor(gate));
    const queue = wrapping.queue(async.queue<number>(worker, CONCURRENCY));
    return (item) => {
      void queue.push(item);
    };
  },
  handwritten(gate, tasks) {
    const queue = async.queue<Envelope>(around(tasks, workerFor(gate)), CONCURRENCY);
    return (item) =>
      tasks.put((stamp) => {
        void queue.push({ item, stamp });
      });
  },
};

/** async's queue by priority, of which there are a few. */
export const asyncPriorityQueue: Lines = {
  plain(gate, wrapping) {
    const worker = wrapping.worker(workerFor(gate));
    const queue = wrapping.queue(async.priorityQueue<number>(worker, CONCURRENCY));
    return (item) => {
      void queue.push(item, item % PRIORITIES);
    };
  },
  handwritten(gate, tasks) {
    const queue = async.priorityQueue<Envelope>(around(tasks, workerFor(gate)), CONCURRENCY);
    return (item) =>
      tasks.put((stamp) => {
        void queue.push({ item, stamp }, item % PRIORITIES);
      });
  },
};
