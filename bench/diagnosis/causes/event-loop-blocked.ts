import { fork } from "node:child_process";
import { pbkdf2Sync } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import PQueue from "p-queue";
import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, spin, work } from "../load.js";

/** When it happens. */
const AT_MS = 500;

export const causes: readonly Cause[] = [
  {
    name: "a busy loop in a handler",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, (ms) => (ms > 0 ? spin(ms) : work(10)), { concurrency: 2 });
      arrivals(40, () => queue.put(0));
      after(AT_MS, () => queue.putMany([900, 0, 0, 0, 0, 0]));
    },
  },
  {
    name: "a regular expression that backtracks",
    run(stage) {
      const queue = stage.watched(new FifoQueue<string>());
      new WorkerPool(queue, async (text) => void (/^(a+)+$/.test(text) || (await work(10))), {
        concurrency: 2,
      });
      arrivals(40, () => queue.put("b"));
      after(AT_MS, () => queue.putMany([`${"a".repeat(26)}!`, `${"a".repeat(26)}!`, "b", "b", "b", "b"]));
    },
  },
  {
    name: "keys derived synchronously",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>());
      new WorkerPool(
        queue,
        (rounds) => (rounds > 0 ? pbkdf2Sync("secret", "salt", rounds, 64, "sha512") : work(10)),
        { concurrency: 2 },
      );
      arrivals(40, () => queue.put(0));
      after(AT_MS, () => queue.putMany([1_500_000, 0, 0, 0, 0, 0]));
    },
  },
  {
    name: "foreign code blocks a p-queue",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 2 }));
      arrivals(40, () => queue.add(() => work(10)));
      after(AT_MS, () => {
        void queue.addAll(Array.from({ length: 8 }, () => () => work(10)));
        spin(900);
      });
    },
  },
  {
    name: "a large JSON text is parsed",
    run(stage) {
      const queue = stage.watched(new FifoQueue<string>());
      const record = { id: 1, name: "x".repeat(20), tags: ["a", "b", "c"], nested: { a: 1, b: [1, 2, 3] } };
      const text = JSON.stringify(Array.from({ length: 400_000 }, () => record));
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(async () => {
            JSON.parse(delivery.item);
            await work(10);
          });
          delivery.done();
        }
      };
      void consume();
      arrivals(40, () => queue.put("0"));
      after(AT_MS, () => queue.putMany([text, "0", "0", "0"]));
    },
  },
  {
    name: "a chain of microtasks that never lets go",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, () => work(10), { concurrency: 2 });
      arrivals(40, () => queue.put(1));
      after(AT_MS, async () => {
        await queue.putMany([1, 1, 1, 1, 1, 1]);
        for (const end = performance.now() + 900; performance.now() < end; ) await null;
      });
    },
  },
  {
    name: "what comes after a block waits behind what it held up",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, () => work(20));
      arrivals(35, () => queue.put(1));
      after(AT_MS, () => spin(800));
    },
  },
  {
    name: "requests that a server reads only after a block",
    async run(stage) {
      const queue = stage.watched(new PriorityQueue<number>());
      new WorkerPool(queue, () => work(30), { concurrency: 2 });
      const server = createServer((socket) => socket.resume().once("end", () => queue.put(1)));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const clients = `const { connect } = require("node:net"); setInterval(() => connect(${port}, "127.0.0.1").on("error", () => {}).end("x"), 25)`;
      const sender = fork("data:text/javascript,", {
        execPath: process.execPath,
        execArgv: ["-e", clients],
        stdio: "ignore",
      });
      process.once("exit", () => sender.kill());
      after(2 * AT_MS, () => spin(1_200));
    },
  },
];
