import { Queue, Worker } from "bullmq";
import { BullMQOtel } from "bullmq-otel";
import { instrument } from "queuescope";
import { bullmq } from "queuescope/bullmq";
import { type How, registerSdk, serve, tracesOf } from "./contestant.js";

/** One contestant, alone in its process: `bullmq.ts HOW PORT`. */
const [how, port] = process.argv.slice(2) as [How, string];
const spans = registerSdk();
const connection = { host: "127.0.0.1", port: Number(port) };
const telemetry = how === "theirs" ? { telemetry: new BullMQOtel() } : {};
const name = `bench-${process.pid}`;
let left = 0;
let over = () => {};

const options = { connection, ...telemetry, defaultJobOptions: { removeOnComplete: true } };
const queue = new Queue(name, options);
const worker = new Worker(name, async () => {}, { connection, concurrency: 10, ...telemetry });
worker.on("completed", () => {
  if (--left === 0) over();
});
const traces = tracesOf(how);
if (traces !== undefined) {
  const adapter = bullmq();
  for (const client of [queue, worker]) instrument(client, { adapter, ...traces });
}
await worker.waitUntilReady();

serve(async (count) => {
  left = count;
  const done = new Promise<void>((resolve) => {
    over = resolve;
  });
  for (let i = 0; i < count; i += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - i) }, () => queue.add("job", { id: 7 })));
  }
  await done;
}, spans);
