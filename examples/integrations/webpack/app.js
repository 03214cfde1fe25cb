import { currentCorrelationId, FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const orders = instrument(new FifoQueue({ capacity: 100 }), {
  name: "orders",
  sla: { default: { targetMs: 1_000 } },
});
const pool = new WorkerPool(orders, (order) => console.log(`${order} shipped for ${currentCorrelationId()}`));
const watchdog = new Watchdog({ everyMs: 100 }).watch(orders).start();

async function main() {
  await orders.put("book", { correlationId: "request-1" });
  await pool.drain();
  await watchdog.stop();
  console.log(`${pool.counts.done} done`);
}

main();
