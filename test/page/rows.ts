import type { ProcessRow, QueueRow } from "../../src/inspector/protocol.js";

/** A queue in which nothing has happened, but for what is given. */
export function queueRow(given: Partial<QueueRow> = {}): QueueRow {
  return {
    process: "7-1",
    name: "orders",
    scope: "process",
    health: "idle",
    rank: 0,
    reasons: [],
    depth: 0,
    inPerSecond: 0,
    outPerSecond: 0,
    endedPerSecond: 0,
    failedPerSecond: 0,
    droppedPerSecond: 0,
    totals: {
      enqueued: 0,
      dequeued: 0,
      succeeded: 0,
      failed: 0,
      retried: 0,
      deadLettered: 0,
      dropped: 0,
      slaMet: 0,
      slaMissed: 0,
    },
    tiers: [],
    ...given,
  };
}

export function processRow(given: Partial<ProcessRow> = {}): ProcessRow {
  return {
    id: "7-1",
    pid: 7,
    name: "shop",
    host: "here",
    startedAt: 0,
    node: "v24.0.0",
    version: "0.1.0",
    loopUtilization: 0,
    cpu: 0,
    heapBytes: 1,
    heapLimitBytes: 2,
    rssBytes: 3,
    hasWatchdog: true,
    ...given,
  };
}
