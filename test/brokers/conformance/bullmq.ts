import type { ConnectionOptions, Job } from "bullmq";
import { BullMQOtel } from "bullmq-otel";
import { bullmq } from "../../../src/bullmq.js";
import type { BrokerKind } from "../../../src/testing.js";
import { MAJORS } from "../support/bullmq.js";
import { record } from "./record.js";

/** When the job of a worker that is gone comes again, and how often is looked for such, in milliseconds. A worker that has no CPU is to keep its locks. */
const LOCK_MS = 3_000;
const STALLED_EVERY_MS = 300;

/** BullMQ 5 or 6, over the Redis on that port. */
export function bullmqKind(major: number, port: number): BrokerKind<object> {
  const { Queue, Worker } = MAJORS[major]!;
  const connection: ConnectionOptions = { host: "127.0.0.1", port };
  const telemetryOf = (isTracedElsewhere: boolean) =>
    isTracedElsewhere ? { telemetry: new BullMQOtel() } : {};
  return {
    adapter: bullmq as never,
    record,
    async producer({ queue: name, deliveries, isTracedElsewhere }) {
      const queue = new Queue(name, { connection, ...telemetryOf(isTracedElsewhere) });
      queue.on("error", () => {});
      // Closed before, BullMQ 5 leaves rejections unhandled.
      await queue.waitUntilReady();
      return {
        client: queue,
        send: (text, options = { attempts: deliveries }) => queue.add("job", { text }, options),
        close: () => queue.close(),
      };
    },
    consumer({ queue: name, isTracedElsewhere }) {
      let handle: (job: Job) => Promise<void>;
      const worker = new Worker(name, (job) => handle(job), {
        connection,
        autorun: false,
        drainDelay: 1,
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_EVERY_MS,
        ...telemetryOf(isTracedElsewhere),
      });
      worker.on("error", () => {});
      return {
        client: worker,
        consume(each) {
          handle = ({ data, opts }) => each(data.text, { priority: opts.priority });
          // It rejects when its connection is closed by force.
          worker.run().catch(() => {});
        },
        abandon: () => worker.close(true),
        close: () => worker.close(true),
      };
    },
    carrying: (carrier) => ({ telemetry: { metadata: JSON.stringify(carrier) } }),
    own: { options: { priority: 3, removeOnComplete: { count: 5 } }, seen: { priority: 3 } },
    refused: { jobId: "0" },
    polls: ["depth", "oldestAt", "inFlight", "delayed", "consumers"],
    // bullmq-otel 2 is for BullMQ 6.
    isTracedElsewhere: major === 6,
    otherProcess: {
      script: new URL("bullmq-process.ts", import.meta.url),
      args: [`${major}`, `${port}`],
      execArgv: ["--import", "tsx"],
    },
  };
}
