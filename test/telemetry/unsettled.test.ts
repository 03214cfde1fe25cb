import fc from "fast-check";
import fastq from "fastq";
import PQueue from "p-queue";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { type InstrumentOptions, instrument, uninstrument } from "../../src/adapters/instrument.js";
import type { Delivery } from "../../src/queue/delivery.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { MetricCapture } from "../support/telemetry-capture.js";

const COMPLETE_MS = 10_000;
const SLA = { default: { targetMs: 1_000, completeMs: COMPLETE_MS } };

let capture: MetricCapture;
let queues = 0;

beforeAll(() => {
  capture = new MetricCapture("producer");
});
afterAll(() => capture.stop());

/** What is told of a queue of this name. */
function readings(name: string) {
  const read = async (metric: string, attributes: Record<string, string>) =>
    (await capture.collect()).number(metric, { "queue.name": name, ...attributes });
  return {
    ageS: (tier = "default") => read("queue.unsettled.oldest.age.seconds", { "queue.tier": tier }),
    target: (tier = "default") => read("queue.sla.completion.target.seconds", { "queue.tier": tier }),
    async completions(tier = "default") {
      const of = (result: string) =>
        read("queue.sla.completions", { "queue.tier": tier, "queue.result": result });
      return { met: await of("met"), missed: await of("missed") };
    },
  };
}

function instrumented<Q extends object>(make: (clock: FakeClock) => Q, options: Partial<InstrumentOptions>) {
  const name = `unsettled-${queues++}`;
  const clock = new FakeClock();
  const queue = instrument(make(clock), { name, ...options });
  return { queue, clock, ...readings(name) };
}

describe("the age of the oldest item that is not settled", () => {
  it("counts from when it first came in, while it waits, is in flight, and is delayed by retries", async () => {
    const { queue, clock, ageS } = instrumented((clock) => new FifoQueue<string>({ clock }), {});
    expect(await ageS()).toBe(0);
    await queue.put("a");
    clock.advance(1_000);
    expect(await ageS()).toBe(1);
    const first = await queue.receive();
    clock.advance(1_000);
    expect(await ageS()).toBe(2);
    first.retry({ delayMs: 60_000 });
    clock.advance(30_000);
    expect(await ageS()).toBe(32);
    clock.advance(31_000);
    expect(await ageS()).toBe(63);
    const second = await queue.receive();
    second.retry();
    clock.advance(1_000);
    expect(await ageS()).toBe(64);
    (await queue.receive()).done();
    expect(await ageS()).toBe(0);
  });

  it("is that of a total outage: every attempt fails and backs off, and depth and age are 0", async () => {
    const { queue, clock, ageS, completions } = instrumented((clock) => new FifoQueue<number>({ clock }), {
      sla: SLA,
    });
    const pool = new WorkerPool(queue, () => Promise.reject(new Error("ECONNREFUSED")), {
      concurrency: 4,
      retry: { attempts: 1_000, backoff: { initialMs: 1_000, maxMs: 60_000 } },
    });
    onTestFinished(() => void pool.stop());
    for (let i = 0; i < 200; i++) await queue.put(i);
    for (let s = 0; s < 600; s++) {
      clock.advance(1_000);
      await new Promise(setImmediate);
    }
    expect(queue.delayed + queue.size).toBe(200);
    expect(await ageS()).toBe(600);
    expect(await completions()).toEqual({ met: 0, missed: 200 });
  });

  it("is told by tier, whatever the order of service", async () => {
    const tiers = { vip: 0, regular: 10 };
    for (const isStack of [true, false]) {
      const { queue, clock, ageS } = instrumented(
        (clock): LifoQueue<string> | PriorityQueue<string> =>
          isStack ? new LifoQueue<string>({ clock }) : new PriorityQueue<string>({ clock }),
        {},
      );
      await queue.put("old");
      clock.advance(2_000);
      if (queue instanceof PriorityQueue) await queue.put("new", { priority: -1 });
      else await queue.put("new");
      const young = await queue.receive();
      const old = await queue.receive();
      clock.advance(1_000);
      expect(await ageS()).toBe(3);
      old.done();
      expect(await ageS()).toBe(1);
      young.done();
      expect(await ageS()).toBe(0);
    }
    const { queue, clock, ageS } = instrumented((clock) => new PriorityQueue<string>({ clock, tiers }), {});
    await queue.put("r", { tier: "regular" });
    clock.advance(5_000);
    await queue.put("v", { tier: "vip" });
    const vip = await queue.receive();
    vip.retry({ delayMs: 100_000 });
    clock.advance(1_000);
    expect([await ageS("vip"), await ageS("regular")]).toEqual([1, 6]);
  });

  it("ends with what is dropped, taken by a plain get, or when the queue is gone", async () => {
    const { queue, clock, ageS } = instrumented((clock) => new FifoQueue<string>({ clock }), { sla: SLA });
    await queue.put("expires", { deadline: clock.wallNow() + 1_000 });
    clock.advance(2_000);
    expect(await ageS()).toBe(2);
    expect(queue.tryGet()).toBeUndefined();
    expect(await ageS()).toBe(0);
    await queue.put("plain");
    clock.advance(1_000);
    expect(await queue.get()).toBe("plain");
    expect(await ageS()).toBe(0);
    await queue.put("left");
    clock.advance(1_000);
    queue.shutdown({ immediate: true });
    expect(await ageS()).toBe(0);
    uninstrument(queue);
    expect(await ageS()).toBe(0);
  });

  it("is known of what was retried before the queue was instrumented", async () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<string>({ clock });
    await queue.put("a");
    (await queue.receive()).retry({ delayMs: 60_000 });
    clock.advance(5_000);
    const name = `unsettled-${queues++}`;
    instrument(queue, { name, sla: SLA });
    clock.advance(5_000);
    expect(await readings(name).ageS()).toBe(10);
  });
});

describe("an SLA on completion", () => {
  it("is judged when an item is settled: for good, however it ended", async () => {
    const { queue, clock, completions, target } = instrumented((clock) => new FifoQueue<string>({ clock }), {
      sla: SLA,
    });
    expect(await target()).toBe(10);
    expect(await completions()).toEqual({ met: 0, missed: 0 });
    await queue.putMany(["done", "failed", "dead", "again", "late"]);
    const take = () => queue.receive();
    const [done, failed, dead, again, late] = [
      await take(),
      await take(),
      await take(),
      await take(),
      await take(),
    ] as Delivery<string>[];
    done!.done();
    failed!.fail(new Error("no"));
    dead!.deadLettered(new Error("no"));
    again!.retry({ delayMs: 9_000 });
    clock.advance(COMPLETE_MS);
    const second = await queue.receive();
    expect(second.attempt).toBe(2);
    second.done();
    clock.advance(1);
    late!.done();
    expect(await completions()).toEqual({ met: 4, missed: 1 });
  });

  it("is judged when its time has passed, once, also while nothing happens", async () => {
    const { queue, clock, completions } = instrumented((clock) => new FifoQueue<string>({ clock }), {
      sla: SLA,
    });
    await queue.put("waits");
    clock.advance(COMPLETE_MS);
    expect(await completions()).toEqual({ met: 0, missed: 0 });
    clock.advance(1);
    expect(await completions()).toEqual({ met: 0, missed: 1 });
    const delivery = await queue.receive();
    delivery.retry();
    (await queue.receive()).done();
    expect(await completions()).toEqual({ met: 0, missed: 1 });
  });

  it("is missed by what is evicted or expires, and not judged by what a shutdown drops or a plain get takes", async () => {
    const { queue, clock, completions } = instrumented(
      (clock) => new LifoQueue<string>({ clock, capacity: 2, whenFull: "evict" }),
      { sla: SLA },
    );
    await queue.put("evicted");
    await queue.put("expires", { deadline: clock.wallNow() + 500 });
    await queue.put("plain");
    expect(await completions()).toEqual({ met: 0, missed: 1 });
    expect(await queue.get()).toBe("plain");
    clock.advance(1_000);
    expect(queue.tryGet()).toBeUndefined();
    await queue.put("left");
    queue.shutdown({ immediate: true });
    expect(await completions()).toEqual({ met: 0, missed: 2 });
  });

  it("goes on for an item that an iteration gives back unseen", async () => {
    const { queue, clock, completions, ageS } = instrumented((clock) => new FifoQueue<string>({ clock }), {
      sla: SLA,
    });
    for (const iteration of [queue.iterate(), queue.deliveries()]) {
      void iteration.next();
      // In one tick: a microtask later the item would be its caller's.
      void queue.put("a");
      void iteration.return();
      clock.advance(1_000);
      expect(await ageS()).toBe(1);
      (await queue.receive()).done();
    }
    expect(await completions()).toEqual({ met: 2, missed: 0 });
  });

  it("is there for those tiers only for which it was declared", async () => {
    const { queue, clock, completions, target } = instrumented(
      (clock) => new PriorityQueue<string>({ clock, tiers: { vip: 0, regular: 10 } }),
      { sla: { vip: { targetMs: 100, completeMs: 1_000 }, regular: { targetMs: 1_000 } } },
    );
    await queue.putMany(["a", "b"], { tier: "regular" });
    await queue.put("v", { tier: "vip" });
    clock.advance(2_000);
    (await queue.receive()).done();
    (await queue.receive()).done();
    expect(await completions("vip")).toEqual({ met: 0, missed: 1 });
    expect(await completions("regular")).toEqual({ met: undefined, missed: undefined });
    expect(await target("regular")).toBeUndefined();
  });

  it("is judged as a plain model does, whatever becomes of items", async () => {
    const step = fc.record({
      what: fc.constantFrom("put", "take", "done", "fail", "retry", "later", "get", "pass", "read"),
      n: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const { queue, clock, completions, ageS } = instrumented(
          (clock) => new FifoQueue<number>({ clock }),
          {
            sla: SLA,
          },
        );
        const cameIn = new Map<number, number>();
        const judged = { met: 0, missed: 0 };
        const late = new Set<number>();
        const inFlight: Delivery<number>[] = [];
        let next = 0;
        const look = () => {
          for (const [item, at] of cameIn) {
            if (clock.now() - at <= COMPLETE_MS || late.has(item)) continue;
            late.add(item);
            judged.missed++;
          }
        };
        const end = (item: number, isSettled: boolean) => {
          look();
          if (isSettled && !late.has(item)) judged.met++;
          cameIn.delete(item);
        };
        for (const { what, n } of steps) {
          const delivery = inFlight[n % Math.max(1, inFlight.length)];
          const isNeeded = what === "done" || what === "fail" || what === "retry" || what === "later";
          if (isNeeded && delivery === undefined) continue;
          if (isNeeded) inFlight.splice(inFlight.indexOf(delivery!), 1);
          if (what === "put") {
            cameIn.set(next, clock.now());
            await queue.put(next++);
          } else if (what === "take") {
            if (queue.size > 0) inFlight.push(await queue.receive());
          } else if (what === "get") {
            const item = queue.tryGet();
            if (item !== undefined) end(item, false);
          } else if (what === "retry") delivery!.retry();
          else if (what === "later") delivery!.retry({ delayMs: 700 * n });
          else if (what === "pass") clock.advance(500 * n);
          else if (what === "read") {
            look();
            expect(await completions()).toEqual(judged);
            const oldest = Math.min(...cameIn.values());
            expect(await ageS()).toBe(cameIn.size === 0 ? 0 : (clock.now() - oldest) / 1_000);
          } else {
            end(delivery!.item, true);
            if (what === "done") delivery!.done();
            else delivery!.fail();
          }
        }
        look();
        expect(await completions()).toEqual(judged);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["0", 0],
    ["a word", "soon"],
    ["infinity", Number.POSITIVE_INFINITY],
    ["null", null],
  ])("can't be %s", (_, completeMs) => {
    const sla = { default: { targetMs: 1_000, completeMs: completeMs as number } };
    expect(() => instrument(new FifoQueue(), { name: "never", sla })).toThrow(
      /sla\.default\.completeMs.*milliseconds, greater than 0/,
    );
  });
});

describe("of other libraries' queues", () => {
  it("age and completions are told of what waits and what runs", async () => {
    vi.useFakeTimers({ now: 0, toFake: ["performance", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const name = `unsettled-${queues++}`;
    const queue = instrument(new PQueue({ concurrency: 1 }), { name, sla: SLA });
    const { ageS, completions } = readings(name);
    const ends: (() => void)[] = [];
    const jobs = [0, 1, 2].map(() => queue.add(() => new Promise<void>((resolve) => ends.push(resolve))));
    vi.advanceTimersByTime(4_000);
    expect(await ageS()).toBe(4);
    ends[0]!();
    await jobs[0];
    expect(await ageS()).toBe(4);
    vi.advanceTimersByTime(7_000);
    expect(await completions()).toEqual({ met: 1, missed: 2 });
    ends[1]!();
    await jobs[1];
    expect(await ageS()).toBe(11);
    ends[2]!();
    await jobs[2];
    expect(await ageS()).toBe(0);
    expect(await completions()).toEqual({ met: 1, missed: 2 });
  });

  it("they are absent where it isn't told how tasks end", async () => {
    const name = `unsettled-${queues++}`;
    const adapter = generic({ put: "push", get: "shift" });
    instrument({ push() {}, shift() {} }, { name, adapter, sla: SLA });
    const { ageS, completions } = readings(name);
    expect(await ageS()).toBeUndefined();
    expect(await completions()).toEqual({ met: undefined, missed: undefined });
  });

  it("what was there before ages from then on", async () => {
    vi.useFakeTimers({ now: 0, toFake: ["performance", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const name = `unsettled-${queues++}`;
    const queue = fastq.promise(() => new Promise(() => {}), 1);
    void queue.push(1);
    void queue.push(2);
    instrument(queue, { name, sla: SLA });
    vi.advanceTimersByTime(11_000);
    const { ageS, completions } = readings(name);
    expect(await ageS()).toBe(11);
    expect(await completions()).toEqual({ met: 0, missed: 1 });
  });
});
