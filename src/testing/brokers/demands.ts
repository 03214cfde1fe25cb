import assert from "node:assert/strict";
import type { Report, SpanFacts } from "./recording.js";

const ID = "messaging.message.conversation_id";

/** The spans of the message of that request. */
function ofRequest(spans: readonly SpanFacts[], id: number): readonly SpanFacts[] {
  return spans.filter(({ attributes }) => attributes[ID] === `request ${id}`);
}

/** Each of these messages was sent once, delivered once, and handled in its own context: as a link to its `send` span says, or as its child. */
export function assertDelivered(
  sent: Report,
  got: Report,
  ids: readonly number[],
  relation: "link" | "parent" = "link",
): void {
  assert.equal(sent.sends().length, ids.length, "send spans");
  assert.equal(got.processes().length, ids.length, "process spans");
  assert.deepEqual(sorted(got.handled.map(({ id }) => id)), sorted(ids), "messages that were handled");
  for (const id of ids) {
    const [send, process] = [ofRequest(sent.sends(), id), ofRequest(got.processes(), id)].map((spans, i) => {
      assert.equal(spans.length, 1, `${i === 0 ? "send" : "process"} spans with the ID of request ${id}`);
      return spans[0]!;
    }) as [SpanFacts, SpanFacts];
    assertOrigin(process, send, relation);
    assert.equal(process.attributes["queue.attempt"], 1, "the attempt of a first delivery");
    const wait = process.attributes["queue.wait_ms"];
    assert.ok(typeof wait === "number" && wait >= 0, `a first delivery has waited for ${String(wait)} ms`);
    const { correlationIds, requests, spanIds } = got.handled.find((each) => each.id === id)!;
    const where = `of the handler of request ${id}, when it began and when it was over`;
    assert.deepEqual(correlationIds, [`request ${id}`, `request ${id}`], `correlation IDs ${where}`);
    assert.deepEqual(requests, [`${id}`, `${id}`], `baggage ${where}`);
    assert.deepEqual(spanIds, [process.spanId, process.spanId], `active spans ${where}`);
  }
}

export function assertOrigin(
  process: SpanFacts,
  send: SpanFacts,
  relation: "link" | "parent" = "link",
): void {
  if (relation === "link") {
    assert.deepEqual(process.links, [send.spanId], "links of the process span, to the send span");
    assert.equal(process.parent, undefined, "parent of the process span");
  } else {
    assert.equal(process.parent, send.spanId, "parent of the process span, the send span");
    assert.equal(process.traceId, send.traceId, "trace of both spans");
  }
}

/** What happened to messages, by the counters of one process; what is left out is 0. */
export interface Counts {
  readonly enqueued?: number;
  readonly dequeued?: number;
  readonly success?: number;
  /** Failed for good, dead letters included. */
  readonly failed?: number;
  readonly retried?: number;
  readonly redelivered?: number;
  /** Histogram values of waits. */
  readonly waits?: number;
  readonly withoutContext?: number;
  readonly rejected?: number;
  readonly inFlight?: number;
}

export function assertCounts(report: Report, counts: Counts): void {
  assert.deepEqual(
    {
      enqueued: report.own("queue.enqueued"),
      dequeued: report.own("queue.dequeued"),
      success: report.own("queue.completed", { "queue.outcome": "success" }),
      failed: report.own("queue.completed", { "queue.outcome": "failure" }),
      retried: report.own("queue.retried"),
      failures: report.own("queue.errors"),
      redelivered: report.own("queue.redelivered"),
      waits: report.own("queue.wait.seconds"),
      withoutContext: report.own("queue.context.lost", { "queue.where": "get" }),
      rejected: report.own("queue.context.lost", { "queue.where": "carrier" }),
      inFlight: report.own("queue.inflight"),
      errors: report.own("queue.telemetry.errors"),
    },
    {
      enqueued: 0,
      dequeued: 0,
      success: 0,
      failed: 0,
      retried: 0,
      // Of whatever kind, once an attempt.
      failures: (counts.failed ?? 0) + (counts.retried ?? 0),
      redelivered: 0,
      waits: 0,
      withoutContext: 0,
      rejected: 0,
      inFlight: 0,
      errors: 0,
      ...counts,
    },
    "what was counted",
  );
}

function sorted(ids: readonly number[]): number[] {
  return [...ids].sort((a, b) => a - b);
}
