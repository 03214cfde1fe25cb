import assert from "node:assert/strict";
import { type BrokerCase, hasOtherProcess } from "../case.js";
import { assertCounts, assertOrigin } from "../demands.js";
import type { Handled, SpanFacts } from "../recording.js";

/** What becomes of a delivery. */
export const outcomes: readonly BrokerCase[] = [
  {
    name: "a handler that fails has an ERROR span, and its message counts as failed",
    async run({ here, kind, queue }) {
      await here.consume(queue);
      await here.send(queue, [{ id: 1, fails: 1 }, { id: 2 }]);
      const report = await here.reportOn(queue, 2);
      const [failed, fine] = report.processes() as [SpanFacts, SpanFacts];
      assert.deepEqual([failed.isError, fine.isError], [true, false], "which span is an error");
      if (kind.errors !== "untold") {
        assert.equal(failed.attributes["error.type"], "TypeError", "the type of the error");
        assert.deepEqual(failed.events, ["exception"], "events of the span");
        assert.equal(report.own("queue.errors", { "error.type": "TypeError" }), 1, "failures of that kind");
      }
      assertCounts(report, { enqueued: 2, dequeued: 2, success: 1, failed: 1, waits: 2 });
    },
  },
  {
    name: "a retry is the second attempt, without a wait, of the same message, whatever came between",
    async run({ here, queue }) {
      const how = { deliveries: 2 } as const;
      await here.consume(queue, how);
      await here.send(queue, [{ id: 1, fails: 1 }, { id: 2 }], how);
      const report = await here.reportOn(queue, 3);
      const [send] = report.sends() as [SpanFacts];
      const [first, second, ...more] = report.processes().filter(({ links }) => links[0] === send.spanId) as [
        SpanFacts,
        SpanFacts,
      ];
      assert.deepEqual(more, [], "process spans of the message");
      assert.ok(second !== undefined, "the retry has no process span that is linked to the send span");
      for (const each of [first, second]) assertOrigin(each, send);
      assert.deepEqual([first.isError, second.isError], [true, false], "which span is an error");
      assert.deepEqual(attempts([first, second]), [1, 2], "attempts");
      assert.deepEqual(waits([first, second]), [true, false], "which attempt has a wait");
      const ids = report.handled.filter(({ id }) => id === 1).map(({ correlationIds }) => correlationIds[0]);
      assert.deepEqual(ids, ["request 1", "request 1"], "correlation IDs of both attempts");
      assertCounts(report, {
        enqueued: 2,
        dequeued: 3,
        success: 2,
        retried: 1,
        redelivered: 1,
        waits: 2,
      });
    },
  },
  {
    name: "what is handled is in flight until it is settled",
    async run({ here, queue }) {
      await here.consume(queue);
      await here.send(queue, [{ id: 1, waits: true }]);
      await here.begun(1);
      assertCounts(await here.report(queue), { enqueued: 1, dequeued: 1, inFlight: 1, waits: 1 });
      here.openGate();
      assertCounts(await here.reportOn(queue, 1), { enqueued: 1, dequeued: 1, success: 1, waits: 1 });
    },
  },
  {
    name: "a delivery that its consumer gives up is abandoned, and comes again, to its origin",
    async run({ here, queue }) {
      const consumer = await here.consume(queue);
      await here.send(queue, [{ id: 1, waits: true }]);
      await here.begun(1);
      await consumer.abandon();
      here.openGate();
      await here.consume(queue);
      const report = await here.reportOn(queue, 2);
      const [send] = report.sends() as [SpanFacts];
      const processes = [...report.processes()].sort((a, b) => attempts([a])[0]! - attempts([b])[0]!);
      for (const each of processes) assertOrigin(each, send);
      assert.deepEqual(
        processes.map(({ attributes }) => attributes["error.type"]),
        ["abandoned", undefined],
        "how the two deliveries ended",
      );
      assert.deepEqual(attempts(processes), [1, 2], "attempts");
      assert.deepEqual(waits(processes), [true, false], "which attempt has a wait");
      assertCounts(report, { enqueued: 1, dequeued: 2, success: 1, redelivered: 1, waits: 1 });
    },
  },
  {
    name: "the message of a process that was killed comes again here, to its origin",
    isFor: hasOtherProcess,
    async run({ here, there, queue }) {
      await here.send(queue, [{ id: 1, waits: true }]);
      here.openGate();
      await there.consume(queue);
      await there.begun(1);
      await there.kill();
      await here.consume(queue);
      const report = await here.reportOn(queue, 1);
      const [process, ...more] = report.processes() as [SpanFacts];
      assert.deepEqual(more, [], "process spans");
      assertOrigin(process, report.sends()[0]!);
      assert.deepEqual([attempts([process]), waits([process])], [[2], [false]], "attempt, and its wait");
      assert.equal(report.handled[0]!.correlationIds[0], "request 1", "the correlation ID");
      assertCounts(report, { enqueued: 1, dequeued: 1, success: 1, redelivered: 1 });
    },
  },
  {
    name: "a batch of 200, of which every tenth fails once, is counted to the message",
    async run({ here, queue }) {
      const how = { deliveries: 2 } as const;
      const plans = Array.from({ length: 200 }, (_, id) => ({ id, fails: id % 10 === 0 ? 1 : 0 }));
      await here.send(queue, plans, how);
      await here.consume(queue, how);
      const report = await here.reportOn(queue, 220);
      assert.deepEqual([report.sends().length, report.processes().length], [200, 220], "spans");
      for (const { id, correlationIds, requests } of report.handled) {
        assert.deepEqual([correlationIds[1], requests[1]], [`request ${id}`, `${id}`], "ID and baggage");
      }
      assertCounts(report, {
        enqueued: 200,
        dequeued: 220,
        success: 200,
        retried: 20,
        redelivered: 20,
        waits: 200,
      });
    },
  },
  {
    name: "another instrumentation of the client makes the spans, in one trace; ours are the numbers and the ID",
    isFor: ({ isTracedElsewhere }) => isTracedElsewhere === true,
    async run({ here, queue }) {
      const how = { isTracedElsewhere: true };
      await here.consume(queue, how);
      await here.send(queue, [{ id: 1 }], how);
      const report = await here.reportOnCompleted(queue, 1);
      const ours = report.spans.filter(({ attributes }) => "queue.attempt" in attributes);
      assert.deepEqual([ours, report.sends()], [[], []], "spans of ours");
      const [{ correlationIds, requests, spanIds }] = report.handled as [Handled];
      assert.deepEqual([correlationIds[1], requests[1]], ["request 1", "1"], "ID and baggage");
      const active = report.spans.find(({ spanId }) => spanId === spanIds[0]);
      assert.ok(active !== undefined, "no span of the other instrumentation was active in the handler");
      const sent = report.spans.some(
        ({ traceId, spanId }) => traceId === active.traceId && spanId !== active.spanId,
      );
      assert.ok(sent, "the trace of the handler has no span of the sending");
      assertCounts(report, { enqueued: 1, dequeued: 1, success: 1, waits: 1 });
    },
  },
];

function attempts(spans: readonly SpanFacts[]): number[] {
  return spans.map(({ attributes }) => attributes["queue.attempt"] as number);
}

function waits(spans: readonly SpanFacts[]): boolean[] {
  return spans.map(({ attributes }) => "queue.wait_ms" in attributes);
}
