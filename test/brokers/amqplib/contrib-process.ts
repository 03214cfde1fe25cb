import { createRequire } from "node:module";
import { propagation, trace } from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { AmqplibInstrumentation } from "@opentelemetry/instrumentation-amqplib";
import type * as Amqplib from "amqplib";
import type { Channel, ConfirmChannel } from "amqplib";
import { amqplib } from "../../../src/amqplib.js";
import { currentCorrelationId, instrument, withCorrelationId } from "../../../src/index.js";
import { MetricCapture, SpanCapture } from "../../support/telemetry-capture.js";

/**
 * A process of its own, as the instrumentation of contrib changes amqplib for good, when that is loaded. A message goes from a producer's
 * channel to a consumer's, in a request, with frozen options; printed as JSON are the spans, and what we count.
 *
 *     contrib-process.ts URL QUEUE confirms|none after|before both|consumer
 */
const [url, queue, confirms, order, ours] = process.argv.slice(2) as [string, string, string, string, string];

const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()];
propagation.setGlobalPropagator(new CompositePropagator({ propagators }));
const capture = new SpanCapture();
const metrics = new MetricCapture("producer");
const contrib = new AmqplibInstrumentation();
contrib.setTracerProvider(capture.provider);
const { connect } = createRequire(import.meta.url)("amqplib") as typeof Amqplib;

const connection = await connect(url);
const open = () => (confirms === "confirms" ? connection.createConfirmChannel() : connection.createChannel());
const [producer, consumer]: Channel[] = [await open(), await open()];
await producer!.assertQueue(queue);
if (order === "before") contrib.disable();
for (const channel of ours === "both" ? [producer!, consumer!] : [consumer!]) {
  instrument(channel, { adapter: amqplib(), queues: { [queue]: {} } });
}
if (order === "before") contrib.enable();

const seen: Record<string, unknown> = {};
const done = new Promise<void>((resolve) => {
  void consumer!.consume(queue, (message) => {
    seen.id = currentCorrelationId();
    seen.traceId = trace.getActiveSpan()?.spanContext().traceId;
    seen.headers = message!.properties.headers;
    consumer!.ack(message!);
    resolve();
  });
});
const frozen = Object.freeze({ headers: Object.freeze({ shop: "Oslo" }) });
trace.getTracer("test").startActiveSpan("request", (span) => {
  // What is frozen is a TypeError to contrib alone.
  const options = ours === "both" ? frozen : {};
  withCorrelationId("request 1", () => producer!.sendToQueue(queue, Buffer.from("coffee"), options));
  span.end();
});
await done;
await (producer as Partial<ConfirmChannel>).waitForConfirms?.();
await consumer!.checkQueue(queue);
const spans = (await capture.spans()).map((span) => ({
  name: span.name,
  traceId: span.spanContext().traceId,
}));
const collected = await metrics.collect();
const count = (name: string, attributes = {}) =>
  collected.number(name, { "queue.name": queue, ...attributes });
console.log(
  JSON.stringify({
    ...seen,
    spans,
    enqueued: count("queue.enqueued"),
    completed: count("queue.completed", { "queue.outcome": "success" }),
  }),
);
await connection.close();
