import { Queue, Worker } from "bullmq";
import { bullmq } from "../../../src/bullmq.js";
import { instrument } from "../../../src/index.js";

/** Polls, closes its clients, and is to end by itself. Prints what it was told last. */
const connection = { host: "127.0.0.1", port: Number(process.argv[2]) };
const adapter = bullmq();
const how = { adapter, poll: { everyMs: 100 } };
const queue = instrument(new Queue("exits", { connection }), how);
await new Promise<void>((resolve) => {
  const worker = instrument(
    new Worker(
      "exits",
      async () => {
        const { inFlight } = await adapter.poll!("exits", new AbortController().signal);
        console.log(`in flight: ${inFlight}`);
        setImmediate(() => void worker.close().then(resolve));
      },
      { connection },
    ),
    how,
  );
  void queue.add("job", {});
});
await queue.close();
