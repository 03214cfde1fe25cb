// One urgent item can't be parsed. It is retried at once, and again, and keeps all others out.
import { setTimeout as sleep } from "node:timers/promises";
import { instrument, PriorityQueue, Watchdog, WorkerPool } from "queuescope";

const events = instrument(new PriorityQueue<string>({ tiers: { urgent: 0, normal: 5 } }), {
  name: "events",
  sla: { default: { targetMs: 400 } },
});
new Watchdog({ everyMs: 50 })
  .watch(events)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

new WorkerPool(
  events,
  async (text) => {
    await sleep(10);
    JSON.parse(text);
  },
  { retry: { attempts: Number.POSITIVE_INFINITY, backoff: { initialMs: 0, maxMs: 0 } } },
);
setInterval(() => events.put("{}", { tier: "normal" }), 30);
setTimeout(() => events.put("{", { tier: "urgent", correlationId: "event-4711" }), 300);
