import type Fastq from "fastq";
import { sink } from "../sink.js";
import { requireApart } from "./apart.js";
import type { Done, Stamp } from "./handwritten-tasks.js";
import { CONCURRENCY, type Lines } from "./line.js";

const fastq = requireApart<typeof Fastq>("fastq");

interface Envelope {
  readonly item: number;
  readonly stamp: Stamp;
}

const SETTLED = Promise.resolve(null);

/** fastq with callbacks; the worker ends in a later microtask. */
export const fastqCallback: Lines = {
  plain(gate, wrapping) {
    const worker = (item: number, done: Done) => {
      sink.sum += item;
      gate.leave();
      SETTLED.then(done);
    };
    const queue = wrapping.queue(fastq<unknown, number>(wrapping.worker(worker), CONCURRENCY));
    return (item) => queue.push(item);
  },
  handwritten(gate, tasks) {
    const worker = (item: number, done: Done) => {
      sink.sum += item;
      gate.leave();
      SETTLED.then(done);
    };
    const queue = fastq<unknown, Envelope>(({ item, stamp }, done) => {
      tasks.call(stamp, worker, item, done);
    }, CONCURRENCY);
    return (item) => tasks.put((stamp) => queue.push({ item, stamp }));
  },
};

/** fastq with promises. */
export const fastqPromise: Lines = {
  plain(gate, wrapping) {
    const worker = async (item: number) => {
      sink.sum += item;
      gate.leave();
    };
    const queue = wrapping.queue(fastq.promise<unknown, number>(wrapping.worker(worker), CONCURRENCY));
    return (item) => {
      void queue.push(item);
    };
  },
  handwritten(gate, tasks) {
    const worker = async (item: number) => {
      sink.sum += item;
      gate.leave();
    };
    const queue = fastq.promise<unknown, Envelope>(
      ({ item, stamp }) => tasks.run(stamp, () => worker(item)),
      CONCURRENCY,
    );
    return (item) =>
      tasks.put((stamp) => {
        void queue.push({ item, stamp });
      });
  },
};
