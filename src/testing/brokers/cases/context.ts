import assert from "node:assert/strict";
import { context, type SpanContext, trace } from "@opentelemetry/api";
import { type BrokerCase, hasOtherProcess } from "../case.js";
import { assertCounts, assertDelivered } from "../demands.js";

const IDS = Array.from({ length: 20 }, (_, i) => i);
const PLANS = IDS.map((id) => ({ id }));

/** A trace that no message is of. */
const FOREIGN: SpanContext = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
};

/** What travels with a message. */
export const contexts: readonly BrokerCase[] = [
  {
    name: "each message takes trace, baggage and correlation ID along, and has one send and one process span",
    async run({ here, queue }) {
      await here.consume(queue);
      await here.send(queue, PLANS);
      const report = await here.reportOn(queue, 20);
      assertDelivered(report, report, IDS);
      assertCounts(report, { enqueued: 20, dequeued: 20, success: 20, waits: 20 });
    },
  },
  {
    name: "trace, baggage and correlation ID come from another process",
    isFor: hasOtherProcess,
    async run({ here, there, queue }) {
      await there.send(queue, PLANS);
      await here.consume(queue);
      const [sent, got] = [await there.reportOn(queue, 0), await here.reportOn(queue, 20)];
      assertDelivered(sent, got, IDS);
      assertCounts(sent, { enqueued: 20 });
      assertCounts(got, { dequeued: 20, success: 20, waits: 20 });
    },
  },
  {
    name: "trace, baggage and correlation ID go to another process, as one trace if that is asked for",
    isFor: hasOtherProcess,
    async run({ here, there, queue }) {
      await here.send(queue, PLANS);
      await there.consume(queue, { relation: "parent" });
      const [sent, got] = [await here.reportOn(queue, 0), await there.reportOn(queue, 20)];
      assertDelivered(sent, got, IDS, "parent");
      assertCounts(sent, { enqueued: 20 });
      assertCounts(got, { dequeued: 20, success: 20, waits: 20 });
    },
  },
  {
    name: "a consumer that was opened in a trace has its messages in their own",
    async run({ here, queue }) {
      const opened = context.with(trace.setSpanContext(context.active(), FOREIGN), () => here.consume(queue));
      await opened;
      await here.send(queue, PLANS);
      const report = await here.reportOn(queue, 20);
      assertDelivered(report, report, IDS);
    },
  },
  {
    name: "a message without a carrier has a correlation ID of its own and no origin, and counts as one without context",
    async run({ here, queue }) {
      await context.with(trace.setSpanContext(context.active(), FOREIGN), () => here.consume(queue));
      await here.send(queue, [{ id: 1 }, { id: 2 }], { telemetry: "none" });
      const report = await here.reportOn(queue, 2);
      const ids = new Set(report.handled.flatMap(({ correlationIds }) => correlationIds));
      assert.equal(ids.size, 2, "correlation IDs of two handlers");
      assert.ok(!ids.has(undefined) && !ids.has(FOREIGN.traceId), "a correlation ID is missing, or foreign");
      assertWithoutOrigin(report.processes());
      assert.deepEqual([report.sends().length, report.processes().length], [0, 2], "send and process spans");
      assert.equal(report.own("queue.context.lost", { "queue.where": "get" }), 2, "messages without context");
      assert.equal(report.own("queue.telemetry.errors"), 0, "errors of telemetry");
    },
  },
  {
    name: "a hostile carrier costs the context, and nothing else, and is counted",
    async run({ here, kind, queue }) {
      await here.consume(queue);
      const bare = await here.openProducer(queue, { telemetry: "none" });
      for (const [id, carrier] of HOSTILE.entries()) {
        await bare.send(JSON.stringify({ id }), kind.carrying(carrier));
      }
      const report = await here.reportOn(queue, HOSTILE.length);
      assert.equal(report.processes().length, HOSTILE.length, "process spans");
      assertWithoutOrigin(report.processes());
      for (const { id, correlationIds } of report.handled) {
        assert.match(`${correlationIds[0]}`, /^[\w -]{8,64}$/, `the correlation ID of message ${id}`);
      }
      assert.equal(
        report.own("queue.context.lost", { "queue.where": "carrier" }),
        HOSTILE.length - HARMLESS,
        "carriers that were rejected",
      );
      assert.equal(report.own("queue.completed", { "queue.outcome": "success" }), HOSTILE.length);
      assert.equal(report.own("queue.telemetry.errors"), 0, "errors of telemetry");
    },
  },
];

const PARENT = `00-${FOREIGN.traceId}-${FOREIGN.spanId}-01`;

/** One header of each is nothing that a propagator writes; of the first two, none is there. */
const HARMLESS = 2;
const HOSTILE: readonly Readonly<Record<string, unknown>>[] = [
  JSON.parse(`{"__proto__":{"traceparent":"${PARENT}"}}`),
  { traceparent: "00-00000000000000000000000000000000-0000000000000000-01" },
  { traceparent: 42 },
  { traceparent: { a: 1 } },
  { traceparent: [PARENT] },
  { traceparent: `${PARENT}\n` },
  { traceparent: "x".repeat(5_000) },
  { baggage: 7 },
  { "queuescope-correlation-id": "a\nb" },
  { "queuescope-sent-at": "soon, and not before then" },
];

function assertWithoutOrigin(processes: readonly { links: readonly string[]; parent: unknown }[]): void {
  for (const { links, parent } of processes) assert.deepEqual([links, parent], [[], undefined]);
}
