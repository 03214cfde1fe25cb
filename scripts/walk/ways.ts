import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { FifoQueue, instrument, metricProducer, Watchdog, WorkerPool } from "../../src/index.js";
import { WalkClock } from "./clock.js";
import { type Called, Coverage } from "./coverage.js";
import { inOrder } from "./order.js";

/** Items before the one that is followed: what is made at first use is there then. */
const WARM_ITEMS = 200;
/** Turns of the event loop after which an item that was handled is settled, and a watchdog has looked. */
const TURNS = 10;
const EVERY_MS = 1_000;
const WARM_LOOKS = 5;

/** What one item passes in an instrumented queue and its pool, from `put` until it is settled. */
export async function wayOfAnItem(): Promise<Called[]> {
  metricProducer();
  const queue = instrument(new FifoQueue<number>({ capacity: 16 }), { name: "walk" });
  new WorkerPool(queue, async () => {}, { concurrency: 1 });
  const walk = async () => {
    await queue.put(1);
    await settled();
  };
  const coverage = new Coverage();
  await coverage.start();
  for (let item = 0; item < WARM_ITEMS; item++) await walk();
  await coverage.take();
  await walk();
  const called = await coverage.take();
  coverage.stop();
  return inOrder(called, walk);
}

/** What a watchdog's look passes that finds the first item that is late, until its report is there. */
export async function wayOfABreach(): Promise<Called[]> {
  const coverage = new Coverage();
  const walk = await aboutToBreach("walk.first");
  await coverage.start();
  await walk();
  const called = await coverage.take();
  coverage.stop();
  return inOrder(called, await aboutToBreach("walk.second"));
}

/** A watchdog that has looked some times at a pool that is stuck, and whose next look finds an item that is late. */
async function aboutToBreach(name: string): Promise<() => Promise<void>> {
  const clock = new WalkClock();
  const sla = { default: { targetMs: EVERY_MS * WARM_LOOKS } };
  const queue = instrument(new FifoQueue<number>({ clock }), { name, sla });
  const pool = new WorkerPool(queue, () => new Promise<void>(() => {}), { concurrency: 1 });
  // The debugger's pauses would be stalls.
  const watchdog = new Watchdog({ clock, everyMs: EVERY_MS, stallThresholdMs: Number.POSITIVE_INFINITY });
  watchdog.watch(queue).watch(pool).start();
  await queue.putMany([1, 2]);
  for (let look = 0; look < WARM_LOOKS; look++) {
    clock.advance(EVERY_MS);
    await settled();
  }
  return async () => {
    const breach = once(watchdog, "breach");
    clock.advance(EVERY_MS);
    await breach;
    await settled();
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await setImmediate();
}
