import { queue as asyncQueue, priorityQueue } from "async";
import fastq from "fastq";
import PQueue from "p-queue";
import { expect, it } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { instrument } from "../../src/adapters/instrument.js";

/** A queue in which everything waits, and how to put something into it. */
type Scene = () => { queue: object; put: (item: number) => unknown };

const endless = () => new Promise<void>(() => {});

function withCallbacks(isBusy: boolean, method: "push" | "unshift"): Scene {
  return () => {
    const queue = fastq(() => {}, 1);
    if (!isBusy) queue.pause();
    return { queue, put: (item) => queue[method](item, () => {}) };
  };
}

function withPromises(isBusy: boolean, method: "push" | "unshift"): Scene {
  return () => {
    const queue = fastq.promise(endless, 1);
    if (!isBusy) queue.pause();
    return { queue, put: (item) => queue[method](item) };
  };
}

function ofAsync(method: "push" | "unshift"): Scene {
  return () => {
    const queue = asyncQueue<number>(() => {}, 1);
    queue.pause();
    return { queue, put: (item) => queue[method](item, () => {}) };
  };
}

const SCENES: readonly (readonly [string, Scene])[] = [
  ["push of a paused fastq", withCallbacks(false, "push")],
  ["unshift of a paused fastq", withCallbacks(false, "unshift")],
  ["push of a busy fastq", withCallbacks(true, "push")],
  ["unshift of a busy fastq", withCallbacks(true, "unshift")],
  ["push of a paused fastq with promises", withPromises(false, "push")],
  ["unshift of a paused fastq with promises", withPromises(false, "unshift")],
  ["push of a busy fastq with promises", withPromises(true, "push")],
  ["unshift of a busy fastq with promises", withPromises(true, "unshift")],
  ["push of a queue of async", ofAsync("push")],
  ["unshift of a queue of async", ofAsync("unshift")],
  [
    "push of a priorityQueue of async",
    () => {
      const queue = priorityQueue<number>(() => {}, 1);
      queue.pause();
      return { queue, put: (item) => queue.push(item, item % 3, () => {}) };
    },
  ],
  [
    "add of a p-queue",
    () => {
      const queue = new PQueue({ autoStart: false });
      return { queue, put: () => queue.add(() => {}) };
    },
  ],
  [
    "add of a p-queue with signals",
    () => {
      const queue = new PQueue({ autoStart: false });
      return { queue, put: () => queue.add(() => {}, { signal: new AbortController().signal }) };
    },
  ],
  [
    "put of an object with an adapter",
    () => {
      const items: number[] = [];
      const queue = { put: (item: number) => items.push(item), get: () => items.shift() };
      return { queue, put: (item) => queue.put(item) };
    },
  ],
];

let count = 0;

function millisecondsFor(scene: Scene, items: number): number {
  const { queue, put } = scene();
  const adapter = "put" in queue ? generic({ put: "put", get: "get" }) : undefined;
  instrument(queue, { name: `scale-${count++}`, ...(adapter && { adapter }) });
  const from = performance.now();
  for (let item = 0; item < items; item++) put(item);
  return performance.now() - from;
}

it.each(SCENES)("the %s takes no longer for each item when ten times as many wait", (_, scene) => {
  millisecondsFor(scene, 4_000);
  const few = millisecondsFor(scene, 4_000);
  // Ten times as much work: what grows with the square takes a hundred times as long.
  expect(millisecondsFor(scene, 40_000)).toBeLessThan(25 * few + 500);
});

it("an unshift of a busy fastq with promises takes no longer when there is a turn between two of them", async () => {
  const millisecondsOf = async (items: number) => {
    const queue = instrument(fastq.promise<unknown, number>(endless, 1), { name: `scale-${count++}` });
    void queue.push(0);
    const from = performance.now();
    for (let item = 0; item < items; item++) {
      void queue.unshift(item);
      await null;
    }
    return performance.now() - from;
  };
  await millisecondsOf(4_000);
  const few = await millisecondsOf(4_000);
  expect(await millisecondsOf(40_000)).toBeLessThan(25 * few + 500);
});
