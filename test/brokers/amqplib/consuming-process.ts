import { propagation } from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { connect } from "amqplib";
import { amqplib } from "../../../src/amqplib.js";
import { currentCorrelationId, instrument } from "../../../src/index.js";
import { SpanCapture } from "../../support/telemetry-capture.js";

/**
 * A process that consumes a queue and prints one line of JSON for each message: its correlation ID, and what its span is linked to. It `acknowledges`
 * them, or `holds` them until it is killed.
 */
const [url, queue, what] = process.argv.slice(2) as [string, string, "acknowledges" | "holds"];
propagation.setGlobalPropagator(
  new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
);
const spans = new SpanCapture();
const connection = await connect(url);
const channel = instrument(await connection.createConfirmChannel(), {
  adapter: amqplib(),
  queues: { [queue]: {} },
});
await channel.consume(queue, async (message) => {
  const id = currentCorrelationId();
  const tenant = propagation.getActiveBaggage()?.getEntry("tenant")?.value;
  if (what === "holds") {
    console.log(JSON.stringify({ id, tenant }));
    return;
  }
  channel.ack(message!);
  const { length } = await spans.spans();
  setImmediate(async () => {
    const span = (await spans.spans())[length];
    const [link] = span?.links ?? [];
    const { attributes } = span!;
    console.log(
      JSON.stringify({ id, tenant, linked: link?.context.spanId, attempt: attributes["queue.attempt"] }),
    );
  });
});
