// Four workers of node:cluster with a queue of the same name each. A line on stdin kills one, without a chance to say goodbye; another one takes its place.
import cluster from "node:cluster";
import { createInterface } from "node:readline";

if (cluster.isPrimary) {
  for (let i = 0; i < 4; i++) cluster.fork();
  cluster.on("exit", () => cluster.fork());
  cluster.on("message", () => console.log("ready"));
  createInterface({ input: process.stdin })
    .on("line", () => Object.values(cluster.workers)[0].process.kill("SIGKILL"))
    .on("close", () => process.exit());
} else {
  const { FifoQueue, instrument, WorkerPool } = await import("queuescope");
  const jobs = instrument(new FifoQueue(), { name: "jobs", sla: { default: { targetMs: 5_000 } } });
  new WorkerPool(jobs, () => {}, { name: "workers", concurrency: 2 });
  // At most 50 a second, whatever was missed while the machine was busy.
  setInterval(() => void jobs.put("job"), 20);
  process.on("disconnect", () => process.exit());
  process.send("ready");
}
