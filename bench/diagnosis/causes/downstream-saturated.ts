import { Agent, createServer as createHttpServer, request } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";
import PQueue from "p-queue";
import { FifoQueue, Gate, PriorityQueue, WorkerPool, waitFor } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, work } from "../load.js";

/** When it happens. */
const AT_MS = 400;

/** Long enough that what succeeded before is no longer recent when it is breached. */
const OUTAGE = { default: 600 };

export const causes: readonly Cause[] = [
  {
    name: "a gate lets one call through where four are needed",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      const gate = new Gate({ name: "warehouse", concurrency: 1 });
      new WorkerPool(queue, () => work(40), { concurrency: 6, gate });
      arrivals(60, () => queue.put(1));
    },
  },
  {
    name: "a circuit breaker opens",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      const policy = circuitBreaker(handleAll, { halfOpenAfter: 5_000, breaker: new ConsecutiveBreaker(3) });
      const gate = new Gate({ name: "bank", policy });
      let isDown = false;
      const call = async () => {
        await work(10);
        if (isDown) throw new Error("503");
      };
      new WorkerPool(queue, call, { concurrency: 4, gate, onFailed: () => "drop" });
      arrivals(60, () => queue.put(1));
      after(AT_MS, () => {
        isDown = true;
      });
    },
  },
  {
    name: "another pool holds the permits of a shared gate",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>());
      const gate = new Gate({ name: "search", concurrency: 2 });
      new WorkerPool(queue, () => work(10), { concurrency: 4, gate });
      arrivals(60, () => queue.put(1));
      const others = new FifoQueue<number>();
      new WorkerPool(others, () => work(1_500), { concurrency: 8, gate });
      after(AT_MS, () => others.putMany([1, 2, 3, 4, 5, 6]));
    },
  },
  {
    name: "handlers pass a gate in the midst of their work",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      const gate = new Gate({ name: "printer", concurrency: 1 });
      new WorkerPool(
        queue,
        async (_, task) => {
          await work(5);
          await gate.run(() => work(40), { task });
        },
        { concurrency: 5 },
      );
      arrivals(60, () => queue.put(1));
    },
  },
  {
    name: "a server that stops answering",
    async run(stage) {
      let isUp = true;
      const server = createHttpServer((_, response) => {
        if (isUp) response.end("ok");
      }).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/charges`;
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, async () => void (await (await fetch(url)).text()), { concurrency: 4 });
      arrivals(40, () => queue.put(1));
      // The first calls take longer, because fetch is loaded.
      after(1_000, () => {
        isUp = false;
      });
    },
  },
  {
    name: "jobs of a p-queue wait for a database connection",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 4 }));
      const waiting: (() => void)[] = [];
      let isHeld = false;
      arrivals(40, () =>
        queue.add(async () => {
          if (isHeld) await waitFor("a connection", new Promise<void>((resolve) => waiting.push(resolve)));
          await work(20);
        }),
      );
      after(AT_MS, () => {
        isHeld = true;
      });
    },
  },
  {
    name: "a cache whose socket is silent",
    async run(stage) {
      const server = createServer((socket) => void (isUp && socket.end("ok"))).listen(0, "127.0.0.1");
      let isUp = true;
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as AddressInfo;
      const queue = stage.watched(new FifoQueue<number>());
      const ask = () =>
        new Promise<void>((resolve) => {
          const socket = connect(port, "127.0.0.1");
          socket.resume().once("close", () => resolve());
        });
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(ask);
          delivery.done();
        }
      };
      for (let i = 0; i < 3; i++) void consume();
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => {
        isUp = false;
      });
    },
  },
  {
    name: "a bank refuses every call, and all are tried again",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>(), OUTAGE);
      let isDown = false;
      const call = async () => {
        await work(10);
        if (isDown) throw new Error("ECONNREFUSED");
      };
      const retry = { attempts: 20, backoff: { initialMs: 20, maxMs: 100 } };
      new WorkerPool(queue, call, { concurrency: 2, retry });
      arrivals(50, () => queue.put(1));
      after(AT_MS, () => {
        isDown = true;
      });
    },
  },
  {
    name: "loops give back whatever they take, while a database is down",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>(), OUTAGE);
      let isDown = false;
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          try {
            await delivery.run(async () => {
              await work(15);
              if (isDown) throw new Error("the database is starting up");
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
        isDown = true;
      });
    },
  },
  {
    name: "an agent with one socket, where four are needed",
    async run(stage) {
      const server = createHttpServer((_, response) => {
        setTimeout(() => response.end("ok"), 30);
      }).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as AddressInfo;
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const ask = () =>
        new Promise<void>((resolve) => {
          request({ port, host: "127.0.0.1", agent, path: "/rates" }, (response) => {
            response.resume().once("end", resolve);
          }).end();
        });
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, ask, { concurrency: 6 });
      arrivals(60, () => queue.put(1));
    },
  },
];
