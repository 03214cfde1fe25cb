import { describe, expect, it } from "vitest";
import type { Changed, History, QueueRow, Snapshot } from "../../src/inspector/protocol.js";
import { bridged, extended, flowOf, waitAt } from "../../src/page/state/history.js";
import { Lanes } from "../../src/page/state/lanes.js";
import { Past } from "../../src/page/state/past.js";
import { applied, keyOf, ofSnapshot, without } from "../../src/page/state/rows.js";
import { matches, sorted } from "../../src/page/state/sorting.js";
import { processRow, queueRow } from "./rows.js";

const KEY = keyOf("7-1", "orders");

function snapshot(...queues: QueueRow[]): Snapshot {
  return { protocol: 1, at: 1_000, processes: [processRow()], queues };
}

describe("what changes", () => {
  it("is put into the row that has these keys; null takes a member away, and what did not change is the same object", () => {
    const rows = ofSnapshot(snapshot(queueRow({ slaUsed: 0.5 }), queueRow({ name: "mails" })));
    const next = applied(rows, {
      at: 2_000,
      processes: [{ id: "7-1", cpu: 0.5 }],
      queues: [{ process: "7-1", name: "orders", depth: 3, slaUsed: null }],
    });
    expect(next.queues.get(KEY)).toEqual(queueRow({ depth: 3 }));
    expect(next.processes.get("7-1")!.cpu).toBe(0.5);
    expect(next.queues.get(keyOf("7-1", "mails"))).toBe(rows.queues.get(keyOf("7-1", "mails")));
    expect(rows.queues.get(KEY)!.depth).toBe(0);
  });

  it("may be queues that come and go", () => {
    const { process, name, ...rest } = queueRow({ name: "late" });
    const change: Changed<QueueRow, "process" | "name"> = { process, name, ...rest };
    const rows = applied(ofSnapshot(snapshot(queueRow())), {
      at: 2_000,
      processes: [],
      queues: [change],
      gone: [{ process: "7-1", name: "orders" }],
    });
    expect([...rows.queues.values()]).toEqual([queueRow({ name: "late" })]);
    expect(without(rows, "7-1").queues.size).toBe(0);
  });

  it("may have any name", () => {
    const rows = ofSnapshot(snapshot(queueRow({ name: "__proto__" }), queueRow({ name: 'a","b' })));
    const next = applied(rows, {
      at: 2_000,
      processes: [],
      queues: [{ process: "7-1", name: "__proto__", depth: 9 }],
    });
    expect(next.queues.get(keyOf("7-1", "__proto__"))!.depth).toBe(9);
    expect(({} as { depth?: number }).depth).toBeUndefined();
  });
});

describe("the order of queues", () => {
  const entries = (...rows: QueueRow[]) => rows.map((row) => [row.name, row] as const);
  const names = (list: readonly (readonly [string, QueueRow])[]) => list.map(([name]) => name);

  it("has the worst first", () => {
    const all = entries(
      queueRow({ name: "idle" }),
      queueRow({ name: "near", health: "ok", slaUsed: 0.9 }),
      queueRow({ name: "late", health: "breach", rank: 5 }),
      queueRow({ name: "warned", health: "warning", rank: 9 }),
      queueRow({ name: "later", health: "breach", rank: 8 }),
    );
    expect(names(sorted(all, undefined, []))).toEqual(["later", "late", "warned", "near", "idle"]);
  });

  it("does not change with every percent of queues that are on time", () => {
    const at = (a: number, b: number) =>
      names(
        sorted(
          entries(
            queueRow({ name: "a", health: "ok", slaUsed: a }),
            queueRow({ name: "b", health: "ok", slaUsed: b }),
          ),
          undefined,
          [],
        ),
      );
    expect(at(0.21, 0.24)).toEqual(at(0.24, 0.21));
  });

  it("is held, with what is new at the end, or goes by a column", () => {
    const all = entries(
      queueRow({ name: "a", depth: 1 }),
      queueRow({ name: "b", depth: 5 }),
      queueRow({ name: "c" }),
    );
    expect(names(sorted(all, "depth", []))).toEqual(["b", "a", "c"]);
    expect(names(sorted(all, "depth", ["c", "a"]))).toEqual(["c", "a", "b"]);
  });

  it("leaves out what the filter does not mean", () => {
    const row = queueRow({ name: "Orders" });
    expect(matches(row, processRow(), "ord SHOP")).toBe(true);
    expect(matches(row, processRow(), "ord mail")).toBe(false);
    expect(matches(row, undefined, "")).toBe(true);
  });
});

describe("the past", () => {
  it("gives back figures and words of an instant, and nothing of one that was not seen", () => {
    const past = new Past();
    for (let second = 1; second <= 700; second++) {
      past.record(KEY, second * 1_000, queueRow({ depth: second, reasons: [`${second}`] }));
    }
    const now = queueRow({ depth: -1 });
    expect(past.rowAt(KEY, 650_400, now)).toMatchObject({ depth: 650, reasons: ["650"] });
    expect(past.rowAt(KEY, 101_000, now)).toMatchObject({ depth: 101 });
    expect(past.rowAt(KEY, 97_000, now)).toBeUndefined();
    expect(past.rowAt(keyOf("8-1", "orders"), 650_000, now)).toBeUndefined();
    expect(past.depths(KEY, 700_000, 3)).toEqual([698, 699, 700]);
  });

  it("begins with the minute that a snapshot brings along", () => {
    const past = new Past();
    past.record(KEY, 100_000, queueRow({ depth: 3, spark: [null, 1, 2, 3] }));
    expect(past.depths(KEY, 100_000, 5)).toEqual([null, null, 1, 2, 3]);
  });

  it("is filled in from a history, but never over what was seen", () => {
    const past = new Past();
    past.record(KEY, 100_000, queueRow({ depth: 30, oldestMs: 7 }));
    past.backfill(
      KEY,
      history({ lastAt: 100_000, depth: [10, 20, 31], oldestMs: [1, 2, 3], arrived: [4, 5, 6] }),
    );
    expect(past.rowAt(KEY, 98_000, queueRow())).toMatchObject({ depth: 10, inPerSecond: 4, health: "ok" });
    expect(past.rowAt(KEY, 100_000, queueRow())).toMatchObject({ depth: 30, oldestMs: 7 });
  });
});

function history(given: Partial<History>): History {
  const none = (given.depth ?? []).map(() => null);
  return {
    process: "7-1",
    queue: "orders",
    lastAt: 0,
    stepMs: 1_000,
    depth: [],
    inFlight: none,
    oldestMs: none,
    slaUsed: none,
    busyWorkers: none,
    arrived: none,
    taken: none,
    ended: none,
    failed: none,
    dropped: none,
    waits: { lastAt: 0, stepMs: 5_000, boundsMs: [], tiers: [] },
    ...given,
  };
}

describe("the cumulative flow", () => {
  const flow = flowOf(history({ lastAt: 5_000, depth: [null, 2, 6, 4, 0], arrived: [null, 9, 5, 1, 0] }), 0);

  it("begins where the depth is known, and is as far apart as that", () => {
    expect(flow.times).toEqual([2, 3, 4, 5]);
    expect(flow.arrivals).toEqual([2, 7, 8, 8]);
    expect(flow.departures).toEqual([0, 1, 4, 8]);
  });

  it("says how long what came has waited, or waits already", () => {
    // Two had come by then: the second one left a third of a second after the third second.
    expect(waitAt(flow, 0)!.seconds).toBeCloseTo(1 + 1 / 3);
    expect(waitAt(flow, 3)).toEqual({ seconds: 0, isOver: true });
    const standing = flowOf(history({ lastAt: 3_000, depth: [1, 2, 3], arrived: [1, 1, 1] }), 0);
    expect(waitAt(standing, 1)).toEqual({ seconds: 1, isOver: false });
  });

  it("bridges the looks that a busy process has missed, and no more", () => {
    const depth = [null, 1, null, 3, null, null, null, null, 5, null];
    expect(bridged(history({ depth })).depth).toEqual([null, 1, 1, 3, null, null, null, null, 5, null]);
  });

  it("goes on with what the stream tells, a step at a time", () => {
    const before = queueRow();
    const totals = { ...before.totals, enqueued: 6 };
    const start = history({ lastAt: 5_000, depth: [1], arrived: [1] });
    expect(extended(start, before, queueRow({ totals }), 5_600)).toBe(start);
    const next = extended(start, before, queueRow({ depth: 7, totals }), 6_900);
    expect(next).toMatchObject({ lastAt: 6_000, depth: [1, 7], arrived: [1, 6] });
    // Two seconds at once: what came is spread over them.
    expect(extended(start, before, queueRow({ depth: 7, totals }), 7_000)).toMatchObject({
      depth: [1, 7, 7],
      arrived: [1, 3, 3],
    });
    expect(extended(start, before, queueRow({ depth: 7, totals }), 15_000).depth).toEqual([
      1,
      ...Array(9).fill(null),
      7,
    ]);
  });
});

describe("lanes", () => {
  const worker = (state: "idle" | "processing" | "backoff", correlationId?: string, forMs?: number) => ({
    name: "pool",
    counts: { idle: 0, processing: 0, backoff: 0, stalled: 0, stopped: 0 },
    workers: [{ id: 1, state, correlationId, forMs }],
  });

  it("have a task as one span, from when it was begun", () => {
    const lanes = new Lanes();
    lanes.record(10_000, [worker("processing", "a", 400)]);
    lanes.record(11_000, [worker("processing", "a", 1_400)]);
    lanes.record(12_000, [worker("backoff", "a", 2_400)]);
    lanes.record(13_000, [worker("idle")]);
    expect(lanes.list[0]!.spans).toMatchObject([
      { from: 9_600, to: 11_000, state: "processing", correlationId: "a" },
      { from: 11_000, to: 12_000, state: "backoff", correlationId: "a" },
    ]);
  });

  it("say that there were others between two tasks", () => {
    const lanes = new Lanes();
    lanes.record(10_000, [worker("processing", "a", 100)]);
    lanes.record(11_000, [worker("processing", "b", 50)]);
    expect(lanes.list[0]!.spans.map(({ from, to, state }) => [from, to, state])).toEqual([
      [9_900, 10_000, "processing"],
      [10_000, 10_950, "others"],
      [10_950, 11_000, "processing"],
    ]);
  });

  it("forget what is longer ago than ten minutes", () => {
    const lanes = new Lanes();
    for (let at = 0; at < 2_000_000; at += 1_000) lanes.record(at, [worker("processing", `${at}`, 10)]);
    expect(lanes.list[0]!.spans.length).toBeLessThanOrEqual(1_202);
  });
});
