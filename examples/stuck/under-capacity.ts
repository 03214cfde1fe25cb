// More comes in than one worker can do, all the time.
import { setTimeout as sleep } from "node:timers/promises";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const images = instrument(new FifoQueue<number>(), { name: "images", sla: { default: { targetMs: 600 } } });
new Watchdog({ everyMs: 50 })
  .watch(images)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

new WorkerPool(images, () => sleep(50), { name: "resizers" });
setInterval(() => images.put(1), 20);
