import async from "async";
import Denque from "denque";
import FastFifo from "fast-fifo";
import fastq from "fastq";
import pLimit from "p-limit";
import PQueue from "p-queue";
import { FifoQueue, instrument, LifoQueue, PriorityQueue, withCorrelationId } from "queuescope";
import YoctoQueue from "yocto-queue";
import { randoms } from "../statistics.js";
import type { Vessel } from "../weigh.js";
import { fastpriorityqueue, flatqueue, heapJs, mnemonist, tinyqueue } from "./stable-heaps.js";

export type Vessels = Readonly<Record<string, () => Vessel>>;

/** A vessel to which each item is added by itself. */
function one(add: (id: number) => void, remove?: () => unknown): Vessel {
  return {
    fill: (count) => {
      for (let id = 0; id < count; id++) add(id);
    },
    drain: (count) => {
      if (remove !== undefined) for (let i = 0; i < count; i++) remove();
    },
  };
}

function own(queue: FifoQueue<object> | LifoQueue<object>): Vessel {
  return one(
    (id) => queue.tryPut({ id }),
    () => queue.tryGet(),
  );
}

/** Nothing but the items, in an array that was there before. */
export function itemsOnly(count: number): Vessel {
  const items: unknown[] = new Array(count).fill(undefined);
  return one((id) => {
    items[id] = { id };
  });
}

export const fifos: Vessels = {
  FifoQueue: () => own(new FifoQueue<object>()),
  denque: () => {
    const queue = new Denque<object>();
    return one((id) => queue.push({ id }));
  },
  "fast-fifo": () => {
    const queue = new FastFifo<object>();
    return one((id) => queue.push({ id }));
  },
  "yocto-queue": () => {
    const queue = new YoctoQueue<object>();
    return one((id) => queue.enqueue({ id }));
  },
  "fastq callback": () => {
    const queue = fastq<unknown, object>(() => {}, 1);
    queue.pause();
    return one((id) => queue.push({ id }));
  },
  "fastq.promise": () => {
    const queue = fastq.promise<unknown, object>(async () => {}, 1);
    queue.pause();
    return one((id) => void queue.push({ id }));
  },
  "async.queue": () => {
    const queue = async.queue<object>(() => {}, 1);
    queue.pause();
    return one((id) => void queue.push({ id }));
  },
  "p-limit": () => {
    const limit = pLimit(1);
    const never = (_item: object) => new Promise(() => {});
    return one((id) => void limit(never, { id }));
  },
  "p-queue": () => {
    const queue = new PQueue({ autoStart: false });
    const task = async (item: object) => item;
    return one((id) => {
      const item = { id };
      void queue.add(() => task(item));
    });
  },
};

export const lifos: Vessels = {
  LifoQueue: () => own(new LifoQueue<object>()),
  array: () => {
    const stack: object[] = [];
    return one((id) => stack.push({ id }));
  },
  denque: () => {
    const queue = new Denque<object>();
    return one((id) => queue.push({ id }));
  },
};

/** Peers that are stable need priority and sequence number on the item, and that counts. */
export function heaps(priorityOf: () => number, agingMs: number | undefined): Vessels {
  const item = (sequence: number) => ({ id: sequence, priority: priorityOf(), sequence });
  return {
    PriorityQueue: () => {
      const queue = new PriorityQueue<object>({ agingMs });
      return one(
        (id) => queue.tryPut({ id }, { priority: priorityOf() }),
        () => queue.tryGet(),
      );
    },
    tinyqueue: () => {
      const heap = tinyqueue();
      return one((id) => heap.push(item(id)));
    },
    mnemonist: () => {
      const heap = mnemonist();
      return one((id) => heap.push(item(id)));
    },
    fastpriorityqueue: () => {
      const heap = fastpriorityqueue();
      return one((id) => heap.add(item(id)));
    },
    "heap-js": () => {
      const heap = heapJs();
      return one((id) => heap.push(item(id)));
    },
    flatqueue: () => {
      const heap = flatqueue();
      return one((id) => heap.push({ id } as never, priorityOf()));
    },
  };
}

export function fewPriorities(): () => number {
  const random = randoms(3);
  return () => Math.floor(random() * 16);
}

export function widePriorities(): () => number {
  return randoms(3);
}

/** Items of requests with a correlation ID each; with `traces: "never"`. */
export const instrumented: Vessels = {
  bare: () => {
    const queue = new FifoQueue<object>();
    return one((id) => withCorrelationId(IDS[id % IDS.length]!, () => queue.tryPut({ id })));
  },
  instrumented: () => {
    const queue = instrument(new FifoQueue<object>(), { name: "weighed", traces: "never" });
    return one(
      (id) => withCorrelationId(IDS[id % IDS.length]!, () => queue.tryPut({ id })),
      () => queue.tryGet(),
    );
  },
};

const IDS = Array.from({ length: 1_000 }, (_, i) => `request-${i}`);
