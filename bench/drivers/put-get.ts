import { type Delivery, type FifoQueue, withCorrelationId } from "queuescope";
import type { Drive } from "../harness.js";
import type { Done, HandwrittenTasks, Stamp } from "./wrapped/handwritten-tasks.js";

/** Items in one cycle. */
export const ITEMS = 1_000;
/** Items that are always there, so that no get has to wait. */
const STANDING = 100;
const IDS = Array.from({ length: ITEMS }, (_, i) => `request-${i}`);

interface Item {
  readonly id: number;
}

interface Stamped {
  readonly item: Item;
  readonly stamp: Stamp;
}

interface TryQueue {
  tryPut(item: Item): boolean;
  tryGet(): Item | undefined;
}

interface AsyncQueue {
  put(item: Item): Promise<void>;
  get(): Promise<Item>;
}

interface DeliveringQueue {
  put(item: Item): Promise<void>;
  receive(): Promise<Delivery<Item>>;
}

const items: readonly Item[] = Array.from({ length: ITEMS }, (_, id) => ({ id }));

/** All items of a batch come from one request. */
export function tryInOneContext(queue: TryQueue): Drive {
  for (let i = 0; i < STANDING; i++) queue.tryPut(items[i]!);
  return (cycles) =>
    withCorrelationId("request", () => {
      for (let cycle = 0; cycle < cycles; cycle++) {
        for (const item of items) {
          queue.tryPut(item);
          queue.tryGet();
        }
      }
    });
}

/** Every item comes from a request of its own; entering its context counts for both contestants, and cancels out. */
export function tryInManyContexts(queue: TryQueue): Drive {
  for (let i = 0; i < STANDING; i++) queue.tryPut(items[i]!);
  return (cycles) => {
    for (let cycle = 0; cycle < cycles; cycle++) {
      for (const item of items) {
        withCorrelationId(IDS[item.id]!, () => queue.tryPut(item));
        queue.tryGet();
      }
    }
  };
}

export function awaitEach(queue: AsyncQueue): Drive {
  let standing = STANDING;
  return (cycles) =>
    withCorrelationId("request", async () => {
      for (; standing > 0; standing--) await queue.put(items[standing]!);
      for (let cycle = 0; cycle < cycles; cycle++) {
        for (const item of items) {
          await queue.put(item);
          await queue.get();
        }
      }
    });
}

export function handleEach(queue: DeliveringQueue): Drive {
  let standing = STANDING;
  return (cycles) =>
    withCorrelationId("request", async () => {
      for (; standing > 0; standing--) await queue.put(items[standing]!);
      for (let cycle = 0; cycle < cycles; cycle++) {
        for (const item of items) {
          await queue.put(item);
          const delivery = await queue.receive();
          delivery.run(handle);
          delivery.done();
        }
      }
    });
}

/** The same handler, with both spans written by hand: what travels with an item is put beside it. */
export function handleByHand(queue: FifoQueue<Stamped>, tasks: HandwrittenTasks): Drive {
  let standing = STANDING;
  const put = async (item: Item) => {
    let done: Promise<void> | undefined;
    tasks.put((stamp) => {
      done = queue.put({ item, stamp });
    });
    await done;
  };
  return (cycles) =>
    withCorrelationId("request", async () => {
      for (; standing > 0; standing--) await put(items[standing]!);
      for (let cycle = 0; cycle < cycles; cycle++) {
        for (const item of items) {
          await put(item);
          const taken = await queue.get();
          tasks.call(taken.stamp, handleThenCall, taken.item, ignore);
        }
      }
    });
}

function handle(): void {}

function handleThenCall(_: Item, done: Done): void {
  done(null);
}

function ignore(): void {}
