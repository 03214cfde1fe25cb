// Paying customers keep both workers busy. The others' orders wait for a turn that never comes.
import { setTimeout as sleep } from "node:timers/promises";
import { instrument, PriorityQueue, Watchdog, WorkerPool } from "queuescope";

const exports = instrument(new PriorityQueue<string>({ tiers: { paid: 0, free: 10 } }), {
  name: "exports",
  sla: { default: { targetMs: 600 } },
});
new Watchdog({ everyMs: 50 })
  .watch(exports)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

let paid = 0;
new WorkerPool(
  exports,
  async (tier) => {
    await sleep(20);
    if (tier === "paid") paid--;
  },
  { concurrency: 2 },
);
// As soon as one is done, the next one is there.
setInterval(() => {
  for (; paid < 6; paid++) exports.tryPut("paid", { tier: "paid" });
}, 5);
setInterval(() => exports.put("free", { tier: "free" }), 100);
