import assert from "node:assert/strict";
import { propagation, trace } from "@opentelemetry/api";
import { uninstrument } from "../../../adapters/instrument.js";
import { Snapshot } from "../../snapshot.js";
import type { BrokerCase } from "../case.js";
import { assertCounts } from "../demands.js";
import type { Report } from "../recording.js";

/** What users of the client get to see. */
export const transparency: readonly BrokerCase[] = [
  {
    name: "the user's own options, frozen and used again, stay as they are and reach the consumer",
    async run({ here, kind, queue }) {
      await here.consume(queue);
      const producer = await here.openProducer(queue);
      const { options, seen } = kind.own;
      const before = structuredClone(options);
      const frozen = deeplyFrozen(options);
      for (const id of [1, 2, 3]) await producer.send(JSON.stringify({ id }), frozen);
      const report = await here.reportOn(queue, 3);
      assert.deepEqual(options, before, "the options");
      for (const { own } of report.handled) assert.deepEqual(own, seen, "what the consumer sees of them");
      const links = new Set(report.processes().flatMap((span) => span.links));
      assert.equal(links.size, 3, "send spans that process spans are linked to");
      assertCounts(report, { enqueued: 3, dequeued: 3, success: 3, waits: 3 });
    },
  },
  {
    name: "what the engine refuses is refused in its words, has an ERROR span, and is not counted as sent",
    isFor: ({ refused }) => refused !== undefined,
    async run({ here, kind, queue }) {
      const bare = await here.openProducer(queue, { telemetry: "none" });
      const producer = await here.openProducer(queue);
      const words = async (send: typeof bare.send) => {
        try {
          await send(JSON.stringify({ id: 1 }), kind.refused);
        } catch (error) {
          return String(error);
        }
        return assert.fail("the engine has not refused the message");
      };
      assert.equal(await words(producer.send), await words(bare.send), "the error");
      const report = await here.report(queue);
      assert.deepEqual(
        report.sends().map(({ isError }) => isError),
        [true],
        "send spans, and whether they are errors",
      );
      assertCounts(report, {});
    },
  },
  {
    name: "whatever throws in OpenTelemetry, messages are sent, handled and counted",
    async run({ here, queue }) {
      propagation.disable();
      propagation.setGlobalPropagator({ inject: fail, extract: fail, fields: fail });
      trace.disable();
      trace.setGlobalTracerProvider({
        getTracer: () => ({ startSpan: fail, startActiveSpan: fail as never }),
      });
      let report: Report;
      try {
        await here.consume(queue, { deliveries: 2 });
        await here.send(queue, [{ id: 1, fails: 1 }, { id: 2 }], { deliveries: 2 });
        report = await here.reportOnCompleted(queue, 2);
      } finally {
        propagation.disable();
        trace.disable();
      }
      assert.equal(report.handled.length, 3, "handlers that were called");
      assert.deepEqual(
        [report.own("queue.enqueued"), report.own("queue.dequeued"), report.own("queue.retried")],
        [2, 3, 1],
        "sent, taken, retried",
      );
      assert.ok(report.own("queue.telemetry.errors") > 0, "no error of telemetry was counted");
    },
  },
  {
    name: "detach restores the clients, which go on working, without telemetry",
    async run({ here, queue }) {
      const bare = [
        await here.openProducer(queue, { telemetry: "none" }),
        await here.openConsumer(queue, { telemetry: "none" }),
      ];
      const untouched = bare.map(({ client }) => ({
        methods: Snapshot.of(client, "the client"),
        listeners: listenersOf(client),
        client,
      }));
      const producer = await here.openProducer(queue);
      const consumer = await here.consume(queue);
      await producer.send(JSON.stringify({ id: 1 }));
      await here.reportOn(queue, 1);
      for (const { client } of [producer, consumer]) uninstrument(client);
      await producer.send(JSON.stringify({ id: 2 }));
      const report = await here.reportOn(queue, 2, 1);
      assert.deepEqual([report.sends().length, report.processes().length], [1, 1], "spans");
      const { correlationIds, spanIds } = report.handled.find(({ id }) => id === 2)!;
      assert.deepEqual(
        [...correlationIds, ...spanIds],
        [undefined, undefined, undefined, undefined],
        "correlation IDs and spans of a handler after detach",
      );
      assertCounts(report, { enqueued: 1, dequeued: 1, success: 1, waits: 1 });
      for (const { client, methods, listeners } of untouched) {
        here.instrument(client, queue);
        uninstrument(client);
        methods.assertSameMethods("attached and detached");
        assert.deepEqual(listenersOf(client), listeners, "its listeners, attached and detached");
      }
    },
  },
];

function fail(): never {
  throw new Error("OpenTelemetry fails");
}

/** How many listeners it has for each event. */
function listenersOf(client: object): unknown {
  const emitter = client as Partial<NodeJS.EventEmitter>;
  if (typeof emitter.eventNames !== "function") return [];
  return emitter.eventNames().map((name) => [name, emitter.listenerCount!(name)]);
}

function deeplyFrozen<V>(value: V): V {
  if (typeof value !== "object" || value === null) return value;
  for (const each of Object.values(value)) deeplyFrozen(each);
  return Object.freeze(value);
}
