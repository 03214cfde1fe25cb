import { setTimeout as sleep } from "node:timers/promises";
import { context, propagation } from "@opentelemetry/api";
import { currentCorrelationId, FifoQueue, instrument, WorkerPool } from "queuescope";
import { telemetry } from "./telemetry.js";

// Made once for each instance of the function, and there for all its invocations.
const orders = instrument(new FifoQueue(), { name: "orders" });
const failed = new Set();
new WorkerPool(orders, ship, {
  name: "shipping",
  concurrency: 4,
  retry: { attempts: 2, backoff: { initialMs: 50 } },
  deadLetter: ({ messageId }) => failed.add(messageId),
});

async function ship({ body }) {
  await sleep(20);
  if (body === "broken") throw new Error("no address");
  console.log(JSON.stringify({ msg: "shipped", order: body, correlation_id: currentCorrelationId() }));
}

/** A batch from SQS. What could not be done is delivered again. */
export async function handler({ Records }) {
  failed.clear();
  for (const record of Records) {
    const carrier = { traceparent: record.messageAttributes?.traceparent?.stringValue };
    const sender = propagation.extract(context.active(), carrier);
    await context.with(sender, () => orders.put(record, { correlationId: record.messageId }));
  }
  await orders.join(); // nothing of this batch may go on in the next invocation
  await telemetry.flush(); // after the answer the function is frozen, and timers don't run
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}
