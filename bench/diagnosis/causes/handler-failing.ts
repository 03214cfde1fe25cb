import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, work } from "../load.js";

/** When it happens. */
const AT_MS = 500;

const TARGETS = { default: 600 };
const retry = { attempts: 30, backoff: { initialMs: 20, maxMs: 100 } };

interface Order {
  readonly address?: { readonly city: string };
}

export const causes: readonly Cause[] = [
  {
    name: "a deploy reads what is no longer there",
    run(stage) {
      const queue = stage.watched(new FifoQueue<Order>(), TARGETS);
      let isDeployed = false;
      new WorkerPool(
        queue,
        async (order) => {
          await work(10);
          if (isDeployed) return order.address!.city.length;
          return 0;
        },
        { concurrency: 2, retry },
      );
      arrivals(60, () => queue.put({}));
      after(AT_MS, () => {
        isDeployed = true;
      });
    },
  },
  {
    name: "one kind of item in two trips over a bug",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<Order>({ tiers: { eu: 0, us: 1 } }), {
        eu: 600,
        us: 600,
      });
      let isDeployed = false;
      new WorkerPool(
        queue,
        async (order) => {
          await work(10);
          if (isDeployed && order.address === undefined) throw new RangeError("Invalid time value");
        },
        { concurrency: 2, retry },
      );
      let i = 0;
      arrivals(80, () =>
        i++ % 2 === 0 ? queue.put({}, { tier: "eu" }) : queue.put({ address: { city: "X" } }, { tier: "us" }),
      );
      after(AT_MS, () => {
        isDeployed = true;
      });
    },
  },
  {
    name: "a loop calls a function that was renamed",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>(), TARGETS);
      const api: { price?: () => number } = { price: () => 1 };
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          try {
            await delivery.run(async () => {
              await work(15);
              return api.price!();
            });
            delivery.done();
          } catch (error) {
            delivery.retry({ error });
          }
        }
      };
      for (let i = 0; i < 2; i++) void consume();
      arrivals(60, () => queue.put(1));
      after(AT_MS, () => {
        delete api.price;
      });
    },
  },
];
