// Two long reports hold both workers. A priority decides who is next, not who has to stop: the urgent orders wait.
import { setTimeout as sleep } from "node:timers/promises";
import { instrument, PriorityQueue, Watchdog, WorkerPool } from "queuescope";

const jobs = instrument(new PriorityQueue<number>({ tiers: { order: 0, report: 10 } }), {
  name: "jobs",
  sla: { order: { targetMs: 300 }, report: { targetMs: 60_000 } },
});
new Watchdog({ everyMs: 50 })
  .watch(jobs)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

new WorkerPool(jobs, (ms) => sleep(ms), { concurrency: 2 });
setInterval(() => jobs.put(5, { tier: "order" }), 30);
setTimeout(() => jobs.putMany([5_000, 5_000], { tier: "report" }), 500);
