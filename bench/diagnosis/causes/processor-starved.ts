import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import PQueue from "p-queue";
import { FifoQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, spin, work } from "../load.js";

/** When it happens. */
const AT_MS = 600;

/** Runs a shell script beside this process, until it ends by itself. */
function beside(script: string): void {
  spawn("sh", ["-c", script], { stdio: "ignore" });
}

export const causes: readonly Cause[] = [
  {
    name: "the process is suspended for a second",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, () => work(15), { concurrency: 2 });
      arrivals(80, () => queue.put(1));
      after(AT_MS, () => beside(`kill -STOP ${process.pid}; sleep 1; kill -CONT ${process.pid}`));
    },
  },
  {
    name: "a p-queue in a process that is suspended while jobs wait",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 2 }));
      arrivals(30, () => queue.add(() => work(20)));
      after(AT_MS, () => {
        for (let i = 0; i < 6; i++) void queue.add(() => work(20));
        beside(`kill -STOP ${process.pid}; sleep 1; kill -CONT ${process.pid}`);
      });
    },
  },
  {
    name: "neighbours take the processor from handlers that compute",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>(), { default: 400 });
      new WorkerPool(
        queue,
        async () => {
          spin(4);
          await work(2);
        },
        { concurrency: 4 },
      );
      arrivals(90, () => queue.put(1));
      after(AT_MS, () => {
        const hog = `${JSON.stringify(process.execPath)} -e 'const t=Date.now();while(Date.now()-t<4000);'`;
        beside(Array.from({ length: 6 * availableParallelism() }, () => `${hog} &`).join(" "));
      });
    },
  },
];
