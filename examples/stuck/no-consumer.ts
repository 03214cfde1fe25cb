// A loop dies of an exception, which is logged, and the process goes on as if nothing were wrong.
import { FifoQueue, instrument, Watchdog } from "queuescope";

const orders = instrument(new FifoQueue<number>(), { name: "orders", sla: { default: { targetMs: 400 } } });
new Watchdog({ everyMs: 50 })
  .watch(orders)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

const consume = async () => {
  for await (const delivery of orders.deliveries()) {
    await delivery.run(async () => {
      if (delivery.item === 7) throw new Error("order 7 has no address");
    });
    delivery.done();
  }
};
consume().catch((error) => console.log(`a line in some log: ${error.message}`));

let next = 0;
setInterval(() => orders.put(next++), 20);
