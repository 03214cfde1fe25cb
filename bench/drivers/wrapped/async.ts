import { context } from "@opentelemetry/api";
import type * as Async from "async";
import type { Gate } from "../gate.js";
import { sink } from "../sink.js";
import { requireApart } from "./apart.js";
import type { HandwrittenTasks, Stamp } from "./handwritten-tasks.js";
import { CONCURRENCY, type Lines } from "./line.js";

const async = requireApart<typeof Async>("async");

type Done = (error?: Error | null) => void;
type Worker = (item: number, done: Done) => void;

interface Envelope {
  readonly item: number;
  readonly stamp: Stamp;
}

const SETTLED = Promise.resolve(null);
const PRIORITIES = 4;

/** The worker ends in a later microtask. */
function workerFor(gate: Gate): Worker {
  return (item, done) => {
    sink.sum += item;
    gate.leave();
    SETTLED.then(done);
  };
}

function around(tasks: HandwrittenTasks, worker: Worker): (envelope: Envelope, done: Done) => void {
  return ({ item, stamp }, done) => {
    const begun = tasks.begin(stamp);
    const ended: Done = (error) => {
      tasks.end(begun, error);
      done(error);
    };
    if (begun.context === undefined) worker(item, ended);
    else context.with(begun.context, worker, undefined, item, ended);
  };
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
