import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import PQueue from "p-queue";
import { FifoQueue, PriorityQueue, WorkerPool, waitFor } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, work } from "../load.js";

/** When it happens: what is usual must have been seen before. */
const AT_MS = 1_000;

/** A server whose answers take as long as `ms` says then. Gives its address. */
async function server(ms: () => number): Promise<string> {
  const http = createServer((_, response) => {
    setTimeout(() => response.end("ok"), ms() * (0.5 + Math.random()));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => http.once("listening", resolve));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

export const causes: readonly Cause[] = [
  {
    name: "handlers become slow",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let ms = 15;
      new WorkerPool(queue, () => work(ms), { concurrency: 2 });
      arrivals(45, () => queue.put(1));
      after(AT_MS, () => {
        ms = 80;
      });
    },
  },
  {
    name: "a server answers ten times more slowly",
    async run(stage) {
      let ms = 15;
      const url = await server(() => ms);
      const queue = stage.watched(new FifoQueue<number>());
      const ask = async () => void (await (await fetch(`${url}/stock`)).text());
      await ask();
      new WorkerPool(queue, ask, { concurrency: 4 });
      arrivals(70, () => queue.put(1));
      after(AT_MS, () => {
        ms = 150;
      });
    },
  },
  {
    name: "of two servers that each task asks, the second becomes slow",
    async run(stage) {
      let ms = 10;
      const [first, second] = [await server(() => 10), await server(() => ms)];
      const queue = stage.watched(new PriorityQueue<number>());
      const ask = async (url: string) => void (await (await fetch(url)).text());
      await Promise.all([ask(first), ask(second)]);
      new WorkerPool(
        queue,
        async () => {
          await ask(`${first}/prices`);
          await ask(`${second}/taxes`);
        },
        { concurrency: 5 },
      );
      arrivals(80, () => queue.put(1));
      after(AT_MS, () => {
        ms = 160;
      });
    },
  },
  {
    name: "queries of a p-queue's jobs take longer and longer",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 4 }));
      const startedAt = performance.now();
      const query = () => work(Math.max(15, (performance.now() - startedAt - AT_MS) / 8));
      arrivals(70, () => queue.add(() => waitFor("orders table", query())));
    },
  },
];
