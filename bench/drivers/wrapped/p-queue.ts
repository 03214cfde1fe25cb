import type PQueue from "p-queue";
import { sink } from "../sink.js";
import { apart } from "./apart.js";
import { CONCURRENCY, type Lines } from "./line.js";

const { default: Queue } = await apart<{ default: typeof PQueue }>(
  "p-queue",
  new URL(import.meta.url).search,
);

/** p-queue: each task is a closure. */
export const pQueue: Lines = {
  plain(gate, wrapping) {
    const queue = wrapping.queue(new Queue({ concurrency: CONCURRENCY }));
    return (item) => {
      void queue.add(async () => {
        sink.sum += item;
        gate.leave();
      });
    };
  },
  handwritten(gate, tasks) {
    const queue = new Queue({ concurrency: CONCURRENCY });
    return (item) => {
      tasks.put((stamp) => {
        void queue.add(() =>
          tasks.run(stamp, async () => {
            sink.sum += item;
            gate.leave();
          }),
        );
      });
    };
  },
};
