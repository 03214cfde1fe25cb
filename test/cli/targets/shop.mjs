// A process with a queue of which nothing is taken, and one that is served.
import { FifoQueue, instrument, WorkerPool } from "queuescope";

const orders = instrument(new FifoQueue(), { name: "orders\u001b[2J", sla: { default: { targetMs: 50 } } });
const mails = instrument(new FifoQueue({ capacity: 10 }), { name: "mails" });
new WorkerPool(mails, () => {}, { name: "posters", concurrency: 2 });
await orders.put("two cats", { correlationId: "order-1" });
await mails.put("hello");
await mails.join();
setTimeout(() => process.send("ready"), 100);
process.on("disconnect", () => process.exit());
