// A queue of your own, or of another library: name the methods that add and take, and it has traces and metrics. The object stays
// what it is, private fields and all. This one has an SDK of its own, as your service may have; it keeps the spans in memory.
import { trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { generic, instrument, metricProducer, withCorrelationId } from "queuescope";

class TicketDesk {
  readonly #numbers: { number: number }[] = [];
  draw = (ticket: { number: number }) => this.#numbers.push(ticket);
  call = () => this.#numbers.shift();
  next = () => this.#numbers[0];
  get waiting() {
    return this.#numbers.length;
  }
}

const spans = new InMemorySpanExporter();
const processor = new SimpleSpanProcessor({ exporter: spans });
const sdk = new NodeSDK({ spanProcessors: [processor], metricReaders: [] });
sdk.start();

const adapter = generic({ put: "draw", get: "call", size: "waiting", peek: "next" });
const desk = instrument(new TicketDesk(), { name: "tickets", adapter });

for (const number of [1, 2, 3]) withCorrelationId(`visitor-${number}`, () => desk.draw({ number }));
trace.getTracer("town-hall").startActiveSpan("open the counter", (span) => {
  desk.call();
  desk.call();
  span.end();
});

await processor.forceFlush();
console.log("Spans, and what they link to:");
const finished = spans.getFinishedSpans();
const nameOf = (id: string) => finished.find((span) => span.spanContext().spanId === id)?.name;
for (const { name, attributes, links } of finished) {
  const id = String(attributes["messaging.message.conversation_id"] ?? "");
  const targets = links.map(({ context }) => `→ ${nameOf(context.spanId)}`);
  console.log(`  ${name.padEnd(16)} ${id.padEnd(10)} ${targets}`.trimEnd());
}

console.log("\nMetrics, as your reader gets them with { metricProducers: [metricProducer()] }:");
const { resourceMetrics } = await metricProducer().collect();
for (const { descriptor, dataPoints } of resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)) {
  for (const { value } of dataPoints) {
    if (typeof value === "object") console.log(`  ${descriptor.name}: ${value.count} measured`);
    else if (value > 0) console.log(`  ${descriptor.name}: ${value}`);
  }
}
await sdk.shutdown();
