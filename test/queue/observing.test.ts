import { describe, expect, it } from "vitest";
import { OBSERVE, PROBE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { errorOf, isSettled } from "./conformance.js";
import { Recorder } from "./recorder.js";

function observed(clock = new FakeClock()) {
  const queue = new FifoQueue<number>({ clock, capacity: 2 });
  const recorder = new Recorder();
  queue[OBSERVE](recorder);
  return { clock, queue, recorder };
}

describe("an observer", () => {
  it("is one at a time, until it is taken away", () => {
    const { queue } = observed();
    expect(() => queue[OBSERVE](new Recorder())).toThrow(
      expect.objectContaining({ code: "QUEUE_ALREADY_INSTRUMENTED", firstName: "recorded" }),
    );
    queue[OBSERVE](undefined);
    queue[OBSERVE](new Recorder());
  });

  it("gets the item's carrier back when it is taken, and the attempt's number", async () => {
    const { queue, clock } = observed();
    const calls: unknown[] = [];
    const recorder = new Recorder();
    recorder.taken = (carrier, tier, enqueuedAt, now, attempt) => {
      calls.push([recorder.correlationIdOf(carrier), tier, enqueuedAt, now, attempt]);
    };
    queue[OBSERVE](undefined);
    queue[OBSERVE](recorder);
    await queue.put(1, { correlationId: "a" });
    clock.advance(5);
    (await queue.receive()).retry({ delayMs: 10 });
    clock.advance(10);
    clock.advance(1);
    await queue.get();
    expect(calls).toEqual([
      ["a", 0, 1_000, 1_005, 1],
      ["a", 0, 1_015, 1_016, 2],
    ]);
  });

  it("is told how long puts and gets took, waiting included", async () => {
    const { queue, clock, recorder } = observed();
    const times: [string, number][] = [];
    recorder.putDone = (_carrier, _tier, _count, tookMs) => void times.push(["put", tookMs]);
    recorder.putFailed = (_carrier, _tier, _accepted, tookMs) => void times.push(["failed put", tookMs]);
    recorder.pullDone = (_pull, _carriers, tookMs) => void times.push(["pull", tookMs]);
    const get = queue.get();
    clock.advance(7);
    await queue.putMany([1, 2, 3]);
    await get;
    const waiting = queue.put(4);
    const failing = queue.put(5, { timeoutMs: 20 });
    clock.advance(20);
    await errorOf(failing);
    await queue.get();
    await waiting;
    expect(times).toEqual([
      ["pull", 7],
      ["put", 0],
      ["failed put", 20],
      ["pull", 0],
      ["put", 20],
    ]);
  });

  it("that comes late measures what waits already from its coming on, and knows no NaN", async () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<number>({ clock, capacity: 1 });
    queue.tryPut(1);
    const put = queue.put(2);
    clock.advance(100);
    const recorder = new Recorder();
    const times: number[] = [];
    recorder.putDone = (_carrier, _tier, _count, tookMs) => void times.push(tookMs);
    recorder.taken = (_carrier, _tier, enqueuedAt, now) => void times.push(now - enqueuedAt);
    recorder.pullDone = (_pull, _carriers, tookMs) => void times.push(tookMs);
    queue[OBSERVE](recorder);
    clock.advance(5);
    expect(queue.tryGet()).toBe(1);
    await put;
    expect(times).toEqual([5, 0, 5]);
    const early = new FifoQueue<number>({ clock });
    const get = early.receive();
    clock.advance(100);
    early[OBSERVE](recorder);
    clock.advance(3);
    early.tryPut(1);
    expect((await get).waitMs).toBe(0);
    expect(times.slice(3)).toEqual([0, 0, 3]);
  });

  it("that comes late is told no process time of deliveries taken before it", async () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<number>({ clock });
    const handed = queue.receive();
    queue.tryPut(1);
    queue.tryPut(2);
    const deliveries = [await handed, await queue.receive()];
    const recorder = new Recorder();
    const times: unknown[] = [];
    recorder.settled = (_outcome, processMs) => void times.push(processMs);
    queue[OBSERVE](recorder);
    expect(queue[PROBE].inFlightOldestAt).toBeUndefined();
    for (const delivery of deliveries) delivery.done();
    expect(times).toEqual([undefined, undefined]);
  });

  it("hears of no negative time, though time passes within a call", async () => {
    const { queue, recorder } = observed(new FakeClock({ tickMs: 1 }));
    const waits: number[] = [];
    recorder.taken = (_carrier, _tier, enqueuedAt, now) => void waits.push(now - enqueuedAt);
    const batch = queue.putMany([1, 2, 3, 4, 5]);
    expect(await queue.getMany(5)).toEqual([1, 2, 3, 4, 5]);
    await batch;
    expect(waits).toHaveLength(5);
    expect(waits.filter((ms) => ms < 0)).toEqual([]);
  });

  it("wraps the handlers of deliveries", async () => {
    const { queue, recorder } = observed();
    queue.tryPut(1);
    const delivery = await queue.receive();
    expect(delivery.run(() => "result")).toBe("result");
    expect(recorder.log).toEqual(["run"]);
  });

  it("is told of drops with their reason and attempt", async () => {
    const { queue, recorder, clock } = observed();
    const drops: unknown[] = [];
    recorder.dropped = (...drop) => void drops.push(drop);
    queue.tryPut(1);
    (await queue.receive()).retry();
    queue.tryPut(2, { deadline: clock.wallNow() - 1 });
    queue.shutdown({ immediate: true });
    expect(drops).toEqual([
      [0, "shutdown", 2],
      [0, "shutdown", 1],
    ]);
  });
});

describe("the probe", () => {
  it("shows depth and the oldest item's arrival by tier", () => {
    const clock = new FakeClock();
    const queue = new PriorityQueue<number>({ clock, tiers: { vip: 0, regular: 10 } });
    queue[OBSERVE](new Recorder());
    const probe = queue[PROBE];
    queue.tryPut(1);
    clock.advance(10);
    queue.tryPut(2, { tier: "vip" });
    queue.tryPut(3);
    expect([probe.depth(0), probe.depth(1)]).toEqual([1, 2]);
    expect([probe.oldestAt(0), probe.oldestAt(1)]).toEqual([1_010, 1_000]);
    expect([probe.headAt(), probe.now()]).toEqual([1_010, 1_010]);
    queue.tryGet();
    queue.tryGet();
    expect([probe.oldestAt(0), probe.oldestAt(1), probe.headAt()]).toEqual([undefined, 1_010, 1_010]);
  });

  it("shows waiting callers, delayed items and deliveries in flight", async () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<number>({ clock, capacity: 1 });
    queue[OBSERVE](new Recorder());
    const probe = queue[PROBE];
    const get = queue.receive();
    expect([probe.waitingGets, probe.waitingPuts]).toEqual([1, 0]);
    const puts = [queue.put(1), queue.put(2), queue.put(3)];
    expect([probe.waitingGets, probe.waitingPuts]).toEqual([0, 1]);
    clock.advance(4);
    expect([probe.inFlight, probe.inFlightOldestAt, probe.capacity]).toEqual([1, 1_000, 1]);
    (await get).retry({ delayMs: 5 });
    expect([probe.inFlight, probe.inFlightOldestAt, probe.delayed]).toEqual([0, undefined, 1]);
    queue.shutdown({ immediate: true });
    await Promise.allSettled(puts);
    expect([probe.delayed, probe.depth(0), probe.waitingPuts]).toEqual([0, 0, 0]);
  });

  it("shows no head where nothing is, or time is not kept", () => {
    const queue = new FifoQueue<number>();
    expect(queue[PROBE].headAt()).toBeUndefined();
    queue.tryPut(1);
    expect([queue[PROBE].headAt(), queue[PROBE].oldestAt(0)]).toEqual([undefined, undefined]);
    expect(queue.tryGet()).toBe(1);
  });

  it("can be read at any moment without disturbing the queue", async () => {
    const clock = new FakeClock();
    const look = () => [probe.headAt(), probe.oldestAt(0), probe.oldestAt(1), probe.depth(0)];
    const queue: PriorityQueue<number> = new PriorityQueue<number>({
      clock,
      tiers: { vip: 0, regular: 10 },
      onDrop: look,
    });
    const probe = queue[PROBE];
    const recorder = new Recorder();
    recorder.taken = look;
    queue[OBSERVE](recorder);
    queue.tryPut(1, { tier: "vip", deadline: clock.wallNow() - 1 });
    queue.tryPut(2, { tier: "regular" });
    queue.tryPut(3, { tier: "vip" });
    expect(await queue.receive()).toMatchObject({ item: 3, tier: "vip", priority: 0 });
    expect(await queue.receive()).toMatchObject({ item: 2, tier: "regular", priority: 10 });
    expect(await isSettled(queue.join())).toBe(false);
  });
});
