import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type InstrumentOptions, instrument, uninstrument } from "../../src/adapters/instrument.js";
import { AlreadyInstrumentedError } from "../../src/base/errors.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { type Collected, MetricCapture } from "../support/telemetry-capture.js";

let capture: MetricCapture;
let name: string;
let clock: FakeClock;
let count = 0;

beforeAll(() => {
  capture = new MetricCapture("producer");
});

afterAll(() => capture.stop());

beforeEach(() => {
  name = `metrics-${count++}`;
  clock = new FakeClock();
});

const TIERS = { tiers: { vip: 0, regular: 10 } };

/** The number of this test's queue. */
function of(
  collected: Collected,
  metric: string,
  attributes: Record<string, string> = {},
): number | undefined {
  return collected.number(metric, { "queue.name": name, ...attributes });
}

async function read(metric: string, attributes: Record<string, string> = {}): Promise<number | undefined> {
  return of(await capture.collect(), metric, attributes);
}

async function histogram(metric: string, attributes: Record<string, string> = {}) {
  return (await capture.collect()).histogram(metric, { "queue.name": name, ...attributes });
}

function named<Q extends object>(queue: Q, options: Partial<InstrumentOptions> = {}): Q {
  return instrument(queue, { name, ...options });
}

describe("gauges", () => {
  it("show depth, capacity and the age of the oldest item, for each tier", async () => {
    const queue = named(new PriorityQueue<string>({ ...TIERS, capacity: 10, clock }));
    await queue.put("v", { tier: "vip" });
    clock.advance(2_000);
    await queue.putMany(["r1", "r2"]);
    clock.advance(500);
    const collected = await capture.collect();
    expect(of(collected, "queue.depth", { "queue.tier": "vip" })).toBe(1);
    expect(of(collected, "queue.depth", { "queue.tier": "regular" })).toBe(2);
    expect(of(collected, "queue.oldest.age.seconds", { "queue.tier": "vip" })).toBe(2.5);
    expect(of(collected, "queue.oldest.age.seconds", { "queue.tier": "regular" })).toBe(0.5);
    expect(of(collected, "queue.capacity")).toBe(10);
    await queue.getMany(3);
    expect(await read("queue.oldest.age.seconds", { "queue.tier": "vip" })).toBe(0);
  });

  it("have no capacity while the queue is unbounded", async () => {
    const queue = named(new FifoQueue<string>());
    expect(await read("queue.capacity")).toBeUndefined();
    queue.capacity = 5;
    expect(await read("queue.capacity")).toBe(5);
    queue.capacity = Number.POSITIVE_INFINITY;
    expect(await read("queue.capacity")).toBeUndefined();
  });

  it("show who waits, on either side", async () => {
    const queue = named(new FifoQueue<string>({ capacity: 1 }));
    const gets = [queue.get(), queue.get()];
    expect(await read("queue.waiters", { "queue.side": "get" })).toBe(2);
    await queue.putMany(["a", "b", "c"]);
    const put = queue.put("d");
    const collected = await capture.collect();
    expect(of(collected, "queue.waiters", { "queue.side": "get" })).toBe(0);
    expect(of(collected, "queue.waiters", { "queue.side": "put" })).toBe(1);
    await queue.get();
    await Promise.all([...gets, put]);
  });

  it("show what is in flight, and for how long", async () => {
    const queue = named(new FifoQueue<string>({ clock }));
    await queue.putMany(["a", "b"]);
    const first = await queue.receive();
    clock.advance(3_000);
    const second = await queue.receive();
    expect(await read("queue.inflight")).toBe(2);
    expect(await read("queue.inflight.oldest.age.seconds")).toBe(3);
    first.done();
    expect(await read("queue.inflight.oldest.age.seconds")).toBe(0);
    second.done();
    expect(await read("queue.inflight")).toBe(0);
  });

  it("count planned retries as delayed, not as depth, and their delay as no age", async () => {
    const queue = named(new FifoQueue<string>({ clock }));
    await queue.put("a");
    (await queue.receive()).retry({ delayMs: 1_000 });
    expect(await read("queue.delayed")).toBe(1);
    expect(await read("queue.depth")).toBe(0);
    clock.advance(1_000);
    expect(await read("queue.delayed")).toBe(0);
    expect(await read("queue.depth")).toBe(1);
    expect(await read("queue.oldest.age.seconds")).toBe(0);
    const again = await queue.receive();
    expect(again.waitMs).toBe(0);
    again.done();
  });
});

describe("counters", () => {
  it("are at 0 from the start, so that the first increment is seen", async () => {
    named(new PriorityQueue<string>(TIERS), { sla: { default: { targetMs: 10 } } });
    const collected = await capture.collect();
    for (const tier of ["vip", "regular"]) {
      const attributes = { "queue.tier": tier };
      for (const metric of ["queue.enqueued", "queue.dequeued", "queue.overtakes"]) {
        expect(of(collected, metric, attributes)).toBe(0);
      }
      for (const reason of ["expired", "shutdown"]) {
        expect(of(collected, "queue.dropped", { ...attributes, "queue.reason": reason })).toBe(0);
      }
      for (const result of ["met", "missed"]) {
        expect(of(collected, "queue.sla.items", { ...attributes, "queue.result": result })).toBe(0);
      }
    }
    for (const outcome of ["success", "failure"]) {
      expect(of(collected, "queue.completed", { "queue.outcome": outcome })).toBe(0);
    }
    for (const metric of [
      "queue.retried",
      "queue.dead.lettered",
      "queue.telemetry.errors",
      "queue.context.lost",
    ]) {
      expect(of(collected, metric)).toBe(0);
    }
  });

  it("balance: what came in was taken, dropped, or is there", async () => {
    const queue = named(new FifoQueue<string>({ capacity: 2, whenFull: "reject" }));
    await expect(queue.putMany(["a", "b", "c"])).rejects.toMatchObject({ accepted: 2 });
    await queue.get();
    queue.taskDone();
    queue.shutdown({ immediate: true });
    const collected = await capture.collect();
    expect(of(collected, "queue.enqueued")).toBe(2);
    expect(of(collected, "queue.dequeued")).toBe(1);
    expect(of(collected, "queue.dropped", { "queue.reason": "rejected" })).toBe(1);
    expect(of(collected, "queue.dropped", { "queue.reason": "shutdown" })).toBe(1);
    expect(of(collected, "queue.depth")).toBe(0);
    expect(of(collected, "queue.completed", { "queue.outcome": "success" })).toBe(1);
  });

  it("tell done from failed and retried, with the time each attempt took", async () => {
    const queue = named(new FifoQueue<string>({ clock }));
    await queue.putMany(["a", "b"]);
    const first = await queue.receive();
    clock.advance(40);
    first.retry();
    (await queue.receive()).fail(new Error("no"));
    (await queue.receive()).done();
    const collected = await capture.collect();
    expect(of(collected, "queue.retried")).toBe(1);
    expect(of(collected, "queue.completed", { "queue.outcome": "success" })).toBe(1);
    expect(of(collected, "queue.completed", { "queue.outcome": "failure" })).toBe(1);
    expect(of(collected, "queue.enqueued")).toBe(3);
    expect(of(collected, "queue.dequeued")).toBe(3);
    const failures = await histogram("queue.process.seconds", { "queue.outcome": "failure" });
    expect(failures?.count).toBe(2);
    expect(failures?.sum).toBeCloseTo(0.04);
  });

  it("count items served after a younger one as overtaken", async () => {
    const queue = named(new LifoQueue<string>({ clock }));
    for (const item of ["a", "b", "c"]) {
      await queue.put(item);
      clock.advance(1);
    }
    await queue.getMany(3);
    expect(await read("queue.overtakes")).toBe(2);
  });

  it("count nothing as overtaken in a FIFO", async () => {
    const queue = named(new FifoQueue<string>({ clock }));
    await queue.putMany(["a", "b"]);
    await queue.getMany(2);
    expect(await read("queue.overtakes")).toBe(0);
  });
});

describe("histograms", () => {
  it("are exported from zero", async () => {
    named(new FifoQueue<string>());
    for (const metric of ["queue.put.seconds", "queue.get.seconds", "queue.wait.seconds"]) {
      expect((await histogram(metric))?.count).toBe(0);
    }
    for (const outcome of ["success", "failure"]) {
      expect((await histogram("queue.process.seconds", { "queue.outcome": outcome }))?.count).toBe(0);
    }
  });

  it("have the bounds of the contract, with values on a bound below it", async () => {
    const queue = named(new FifoQueue<string>({ clock }));
    await queue.put("a");
    clock.advance(500);
    await queue.get();
    const { buckets, sum } = (await histogram("queue.wait.seconds"))!;
    const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
    expect(buckets.boundaries).toEqual(bounds);
    expect(buckets.counts[bounds.indexOf(0.5)]).toBe(1);
    expect(sum).toBe(0.5);
  });

  it("measure put and get with their waits, and leave failures out", async () => {
    const queue = named(new FifoQueue<string>({ clock, capacity: 1 }));
    const getting = queue.get();
    clock.advance(200);
    await queue.put("a");
    await getting;
    await queue.put("b");
    const putting = queue.put("c");
    clock.advance(3_000);
    await queue.get();
    await putting;
    await queue.get();
    const failing = queue.get({ timeoutMs: 10 });
    clock.advance(10);
    await expect(failing).rejects.toThrow();
    const iterating = queue[Symbol.asyncIterator]().next();
    await queue.putMany(["d"]);
    await iterating;
    await queue.put("e");
    await queue.getMany(2);
    const ended = queue[Symbol.asyncIterator]().next();
    queue.shutdown();
    await ended;
    expect(await histogram("queue.put.seconds")).toMatchObject({ count: 5, sum: 3 });
    expect(await histogram("queue.get.seconds")).toMatchObject({ count: 5, sum: 0.2 });
  });
});

describe("an item that an iteration gives back unseen", () => {
  it("counts as taken once, when it is", async () => {
    const queue = named(new FifoQueue<string>(), { sla: { default: { targetMs: 100 } } });
    const items = queue[Symbol.asyncIterator]();
    void items.next();
    void queue.putMany(["a", "b"]);
    void items.return();
    expect(await queue.getMany(2)).toEqual(["a", "b"]);
    const collected = await capture.collect();
    expect(of(collected, "queue.enqueued", {})).toBe(2);
    expect(of(collected, "queue.dequeued", {})).toBe(2);
    expect(of(collected, "queue.sla.items", { "queue.result": "met" })).toBe(2);
    expect(await histogram("queue.wait.seconds")).toMatchObject({ count: 2 });
  });
});

describe("the SLA", () => {
  const SLA = { vip: { targetMs: 500, objective: 0.999 }, default: { targetMs: 5_000 } };

  async function judged(tier: string): Promise<[met: number | undefined, missed: number | undefined]> {
    const collected = await capture.collect();
    return [
      of(collected, "queue.sla.items", { "queue.tier": tier, "queue.result": "met" }),
      of(collected, "queue.sla.items", { "queue.tier": tier, "queue.result": "missed" }),
    ];
  }

  it("is shown as declared; default stands for every tier without an entry", async () => {
    named(new PriorityQueue<string>(TIERS), { sla: SLA });
    const collected = await capture.collect();
    expect(of(collected, "queue.sla.target.seconds", { "queue.tier": "vip" })).toBe(0.5);
    expect(of(collected, "queue.sla.objective.ratio", { "queue.tier": "vip" })).toBe(0.999);
    expect(of(collected, "queue.sla.target.seconds", { "queue.tier": "regular" })).toBe(5);
    expect(of(collected, "queue.sla.objective.ratio", { "queue.tier": "regular" })).toBe(0.99);
  });

  it("is met up to the very target, and missed beyond", async () => {
    const queue = named(new PriorityQueue<string>({ ...TIERS, clock }), { sla: SLA });
    await queue.put("a", { tier: "vip" });
    clock.advance(500);
    await queue.get();
    expect(await judged("vip")).toEqual([1, 0]);
    await queue.put("b", { tier: "vip" });
    clock.advance(500.001);
    await queue.get();
    expect(await judged("vip")).toEqual([1, 1]);
    expect(await judged("regular")).toEqual([0, 0]);
  });

  it("is judged once for an item that is retried, at its first take", async () => {
    const queue = named(new PriorityQueue<string>({ ...TIERS, clock }), { sla: SLA });
    await queue.put("a", { tier: "vip" });
    (await queue.receive()).retry({ delayMs: 60_000 });
    clock.advance(60_000);
    (await queue.receive()).retry();
    clock.advance(60_000);
    (await queue.receive()).done();
    expect(await judged("vip")).toEqual([1, 0]);
  });

  it("is missed by what is evicted or expires, and not judged for the rejected and what shutdown drops", async () => {
    const evicting = named(new PriorityQueue<string>({ ...TIERS, clock, capacity: 1, whenFull: "evict" }), {
      sla: SLA,
    });
    await evicting.put("r");
    await evicting.put("v", { tier: "vip" });
    expect(await judged("regular")).toEqual([0, 1]);
    await expect(evicting.put("newcomer")).rejects.toThrow();
    expect(await judged("regular")).toEqual([0, 2]);
    await evicting.get();
    await evicting.put("late", { tier: "vip", deadline: clock.wallNow() + 10 });
    clock.advance(11);
    expect(evicting.tryGet()).toBeUndefined();
    expect(await judged("vip")).toEqual([1, 1]);
    await evicting.put("dropped", { tier: "vip" });
    evicting.shutdown({ immediate: true });
    expect(await judged("vip")).toEqual([1, 1]);
  });

  it("is not missed a second time by a retried item that expires", async () => {
    const queue = named(new PriorityQueue<string>({ ...TIERS, clock }), { sla: SLA });
    await queue.put("a", { tier: "vip", deadline: clock.wallNow() + 100 });
    (await queue.receive()).retry({ delayMs: 200 });
    clock.advance(200);
    expect(queue.tryGet()).toBeUndefined();
    expect(await judged("vip")).toEqual([1, 0]);
    expect(await read("queue.dropped", { "queue.tier": "vip", "queue.reason": "expired" })).toBe(1);
  });

  it("is not there where none was declared", async () => {
    named(new PriorityQueue<string>(TIERS), { sla: { vip: { targetMs: 1 } } });
    const collected = await capture.collect();
    expect(of(collected, "queue.sla.target.seconds", { "queue.tier": "regular" })).toBeUndefined();
    expect(
      of(collected, "queue.sla.items", { "queue.tier": "regular", "queue.result": "met" }),
    ).toBeUndefined();
  });
});

describe("two queues of one name", () => {
  it("merge: counts and depths add up, of ages the greatest counts", async () => {
    const one = named(new FifoQueue<string>({ clock, capacity: 3 }));
    const other = named(new FifoQueue<string>({ clock, capacity: 4 }));
    await one.put("a");
    clock.advance(1_000);
    await other.putMany(["b", "c"]);
    const collected = await capture.collect();
    expect(of(collected, "queue.depth")).toBe(3);
    expect(of(collected, "queue.enqueued")).toBe(3);
    expect(of(collected, "queue.capacity")).toBe(7);
    expect(of(collected, "queue.oldest.age.seconds")).toBe(1);
  });

  it("have no bound together when one of them has none", async () => {
    named(new FifoQueue<string>({ capacity: 3 }));
    named(new FifoQueue<string>());
    expect(await read("queue.capacity")).toBeUndefined();
  });

  it("may have different tiers", async () => {
    const one = named(new FifoQueue<string>());
    const other = named(new PriorityQueue<string>(TIERS));
    await one.put("a");
    await other.put("b", { tier: "vip" });
    const collected = await capture.collect();
    expect(of(collected, "queue.depth", { "queue.tier": "default" })).toBe(1);
    expect(of(collected, "queue.depth", { "queue.tier": "vip" })).toBe(1);
  });
});

describe("more than 20 tiers", () => {
  it("are lumped together as other, whose depth adds up", async () => {
    const tiers = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`t${i}`, i]));
    const queue = named(new PriorityQueue<string>({ tiers }));
    for (const tier of Object.keys(tiers)) await queue.put(tier, { tier });
    const collected = await capture.collect();
    const points = collected.points("queue.depth", { "queue.name": name });
    expect(points).toHaveLength(21);
    expect(of(collected, "queue.depth", { "queue.tier": "t19" })).toBe(1);
    expect(of(collected, "queue.depth", { "queue.tier": "other" })).toBe(5);
    expect(of(collected, "queue.enqueued", { "queue.tier": "other" })).toBe(5);
  });
});

describe("uninstrument", () => {
  it("keeps what was counted, and shows gauges at 0", async () => {
    const queue = named(new FifoQueue<string>({ clock, capacity: 4 }));
    await queue.putMany(["a", "b"]);
    await queue.receive();
    clock.advance(1_000);
    await capture.collect();
    expect(uninstrument(queue)).toBe(queue);
    await queue.put("unseen");
    const collected = await capture.collect();
    expect(of(collected, "queue.enqueued")).toBe(2);
    expect(of(collected, "queue.dequeued")).toBe(1);
    expect((await histogram("queue.wait.seconds"))?.count).toBe(1);
    for (const gauge of [
      "queue.depth",
      "queue.oldest.age.seconds",
      "queue.inflight",
      "queue.inflight.oldest.age.seconds",
      "queue.delayed",
    ]) {
      expect([gauge, of(collected, gauge)]).toEqual([gauge, 0]);
    }
    for (const side of ["put", "get"]) expect(of(collected, "queue.waiters", { "queue.side": side })).toBe(0);
    expect(of(collected, "queue.capacity")).toBeUndefined();
  });

  it("and instrument again go on with the same series", async () => {
    const queue = named(new FifoQueue<string>());
    await queue.put("a");
    named(uninstrument(queue));
    await queue.put("b");
    expect(await read("queue.enqueued")).toBe(2);
    expect(await read("queue.depth")).toBe(2);
  });

  it("of a queue that was never instrumented does nothing", () => {
    const queue = new FifoQueue<string>();
    expect(uninstrument(queue)).toBe(queue);
  });
});

describe("a late instrument", () => {
  it("lets items age from then on, and counts no context as lost", async () => {
    const queue = new FifoQueue<string>({ clock });
    await queue.putMany(["a", "b"]);
    clock.advance(60_000);
    named(queue, { sla: { default: { targetMs: 1_000 } } });
    clock.advance(500);
    expect(await read("queue.oldest.age.seconds")).toBe(0.5);
    const delivery = await queue.receive();
    expect(delivery.waitMs).toBe(500);
    delivery.done();
    const collected = await capture.collect();
    expect(of(collected, "queue.depth")).toBe(1);
    expect(of(collected, "queue.enqueued")).toBe(0);
    expect(of(collected, "queue.dequeued")).toBe(1);
    expect(of(collected, "queue.context.lost")).toBe(0);
    expect(of(collected, "queue.sla.items", { "queue.result": "met" })).toBe(1);
    expect(await histogram("queue.wait.seconds")).toMatchObject({ count: 1, sum: 0.5 });
  });

  it("sees callers that wait already, and times their wait from then on", async () => {
    const queue = new FifoQueue<string>({ clock });
    const getting = queue.get();
    clock.advance(10_000);
    named(queue);
    expect(await read("queue.waiters", { "queue.side": "get" })).toBe(1);
    clock.advance(200);
    await queue.put("a");
    expect(await getting).toBe("a");
    expect(await histogram("queue.get.seconds")).toMatchObject({ count: 1, sum: 0.2 });
    expect((await histogram("queue.wait.seconds"))?.count).toBe(1);
  });

  it("counts a put that waits for room when it comes in, and times it likewise", async () => {
    const queue = new FifoQueue<string>({ clock, capacity: 1 });
    await queue.put("a");
    const putting = queue.put("b");
    clock.advance(10_000);
    named(queue);
    clock.advance(300);
    expect(await queue.get()).toBe("a");
    await putting;
    expect(await read("queue.enqueued")).toBe(1);
    expect(await histogram("queue.put.seconds")).toMatchObject({ count: 1, sum: 0.3 });
  });
});

describe('metrics: "never"', () => {
  it("exports nothing under the name", async () => {
    const queue = named(new FifoQueue<string>(), { metrics: "never" });
    await queue.put("a");
    const delivery = await queue.receive();
    delivery.run(() => {});
    delivery.done();
    const collected = await capture.collect();
    for (const metric of collected.byName.keys()) {
      expect(collected.points(metric, { "queue.name": name })).toEqual([]);
    }
  });

  it("of one queue takes nothing from another one of its name", async () => {
    const silent = named(new FifoQueue<string>(), { metrics: "never" });
    const told = named(new FifoQueue<string>());
    await silent.put("a");
    await told.put("b");
    expect(await read("queue.enqueued")).toBe(1);
    expect(await read("queue.depth")).toBe(1);
  });
});

it("instrumenting twice is an error that names the first, and changes nothing", async () => {
  const queue = named(new FifoQueue<string>());
  const again = () => instrument(queue, { name: `${name}-again` });
  expect(again).toThrow(AlreadyInstrumentedError);
  expect(again).toThrow(
    `cannot instrument the queue as "${name}-again": it is instrumented as "${name}" (call uninstrument first)`,
  );
  await queue.put("a");
  expect(await read("queue.enqueued")).toBe(1);
  expect((await capture.collect()).points("queue.enqueued", { "queue.name": `${name}-again` })).toEqual([]);
});

it("a queue that nobody holds any more is let go, and its gauges fall to 0", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  let queue: FifoQueue<string> | undefined = named(new FifoQueue<string>());
  await queue.put("a");
  const gone = new WeakRef(queue);
  expect(await read("queue.depth")).toBe(1);
  queue = undefined;
  // A weak reference that was read stays strong until the turn of the event loop is over.
  for (let turn = 0; turn < 10 && gone.deref() !== undefined; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(gone.deref()).toBeUndefined();
  expect(await read("queue.depth")).toBe(0);
  expect(await read("queue.enqueued")).toBe(1);
});

it("a probe that throws costs the points of its own queue, and is counted", async () => {
  const probe = {
    tiers: ["default"],
    now: () => 0,
    depth: () => {
      throw new Error("boom");
    },
    oldestAt: () => undefined,
    headAt: () => undefined,
    capacity: 1,
    delayed: 0,
    inFlight: undefined,
    inFlightOldestAt: undefined,
    waitingPuts: undefined,
    waitingGets: undefined,
  };
  const adapter = { system: "odd", tiersOf: () => ["default"], attach: () => ({ probe, detach: () => {} }) };
  const odd = {};
  instrument(odd, { name: `${name}-odd`, adapter });
  named(new FifoQueue<string>());
  const collected = await capture.collect();
  expect(collected.errors).toEqual([]);
  expect(of(collected, "queue.depth")).toBe(0);
  expect(collected.number("queue.capacity", { "queue.name": `${name}-odd` })).toBe(1);
  expect(collected.number("queue.telemetry.errors", { "queue.name": `${name}-odd` })).toBeGreaterThan(0);
  // What a queue does not know has no series, rather than one that says 0.
  expect(collected.number("queue.inflight", { "queue.name": `${name}-odd` })).toBeUndefined();
  uninstrument(odd);
});
