import async from "async";
import fastq from "fastq";
import pLimit from "p-limit";
import PQueue from "p-queue";
import type { Contestant } from "../harness.js";
import { Gate } from "./gate.js";
import { sink } from "./sink.js";

const SETTLED = Promise.resolve(null);
/** Peers that hand each item to a worker, which ends in a later microtask, as real ones do at the earliest. */
export function taskQueues(capacity: number, items: number, concurrency = 1): Contestant[] {
  return [
    {
      name: "fastq callback",
      make: () => {
        const gate = new Gate(capacity);
        const queue = fastq<unknown, number>((item, done) => {
          sink.sum += item;
          gate.leave();
          SETTLED.then(done);
        }, concurrency);
        return async (cycles) => {
          for (let i = cycles * items; i > 0; i--) {
            if (gate.isFull) await gate.room();
            gate.enter();
            queue.push(i);
            if (i % items === 1) await gate.passed();
          }
        };
      },
    },
    {
      name: "fastq, async handler",
      make: () => {
        const gate = new Gate(capacity);
        const handler = async (item: number) => {
          sink.sum += item;
        };
        const queue = fastq<unknown, number>((item, done) => {
          handler(item).then(() => {
            gate.leave();
            done(null);
          }, done);
        }, concurrency);
        return async (cycles) => {
          for (let i = cycles * items; i > 0; i--) {
            if (gate.isFull) await gate.room();
            gate.enter();
            queue.push(i);
            if (i % items === 1) await gate.passed();
          }
        };
      },
    },
    {
      name: "fastq.promise",
      make: () => {
        const gate = new Gate(capacity);
        const queue = fastq.promise<unknown, number>(async (item) => {
          sink.sum += item;
          gate.leave();
        }, concurrency);
        return async (cycles) => {
          for (let i = cycles * items; i > 0; i--) {
            if (gate.isFull) await gate.room();
            gate.enter();
            void queue.push(i);
            if (i % items === 1) await gate.passed();
          }
        };
      },
    },
    {
      name: "p-queue",
      make: () => {
        const gate = new Gate(capacity);
        const queue = new PQueue({ concurrency });
        return async (cycles) => {
          for (let i = cycles * items; i > 0; i--) {
            if (gate.isFull) await gate.room();
            gate.enter();
            void queue.add(async () => {
              sink.sum += i;
              gate.leave();
            });
            if (i % items === 1) await gate.passed();
          }
        };
      },
    },
    {
      name: "p-limit",
      make: () => {
        const gate = new Gate(capacity);
        const limit = pLimit(concurrency);
        const task = async (item: number) => {
          sink.sum += item;
          gate.leave();
        };
        return async (cycles) => {
          for (let i = cycles * items; i > 0; i--) {
            if (gate.isFull) await gate.room();
            gate.enter();
            void limit(task, i);
            if (i % items === 1) await gate.passed();
          }
        };
      },
    },
    {
      name: "async.queue",
      make: () => {
        const gate = new Gate(capacity);
        const queue = async.queue<number>((item, done) => {
          sink.sum += item;
          gate.leave();
          SETTLED.then(done);
        }, concurrency);
        return async (cycles) => {
          for (let i = cycles * items; i > 0; i--) {
            if (gate.isFull) await gate.room();
            gate.enter();
            void queue.push(i);
            if (i % items === 1) await gate.passed();
          }
        };
      },
    },
  ];
}
