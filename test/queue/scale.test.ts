import { describe, expect, it } from "vitest";
import { PROBE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";

/** So many that anything linear in each step would take minutes; the time limits leave a wide margin otherwise. */
const MANY = 50_000;
const LIMIT_MS = 60_000;

/** Every number below `count` once, far from sorted. */
function scattered(count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i * 7_919) % count);
}

describe("with very many waiters", () => {
  it("leaving from the middle of the line costs next to nothing", { timeout: LIMIT_MS }, async () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<number>({ capacity: 1, clock });
    const controller = new AbortController();
    queue.tryPut(-1);
    const puts = scattered(MANY).map((timeoutMs) =>
      queue.put(timeoutMs, { signal: controller.signal, timeoutMs: timeoutMs + 1 }),
    );
    const outcomes = Promise.allSettled(puts);
    clock.advance(MANY / 2);
    expect(queue[PROBE].waitingPuts).toBe(MANY / 2);
    controller.abort();
    expect((await outcomes).every(({ status }) => status === "rejected")).toBe(true);
    expect([queue.size, queue[PROBE].waitingPuts, clock.pending]).toEqual([1, 0, 0]);
  });
});

describe("with very many items", () => {
  it.each([
    ["few priorities", 4, undefined],
    ["many priorities", 10_000, undefined],
    ["few priorities and aging", 4, 10],
    ["many priorities and aging", 10_000, 10],
  ])("eviction with %s finds its victim without a search", { timeout: LIMIT_MS }, (_, levels, agingMs) => {
    const clock = new FakeClock();
    let evicted = 0;
    const queue = new PriorityQueue<number>({
      capacity: MANY,
      whenFull: "evict",
      agingMs,
      clock,
      onDrop: () => evicted++,
    });
    for (const i of scattered(MANY)) queue.tryPut(i, { priority: 1 + (i % levels) });
    for (let i = 0; i < MANY; i++) queue.tryPut(i, { priority: 0 });
    expect([queue.size, evicted]).toEqual([MANY, MANY]);
  });

  it("deadlines expire in one go", { timeout: LIMIT_MS }, () => {
    const clock = new FakeClock();
    let expired = 0;
    const queue = new PriorityQueue<number>({ order: "deadline", clock, onDrop: () => expired++ });
    for (const i of scattered(MANY)) queue.tryPut(i, { deadline: clock.wallNow() + i });
    clock.advance(MANY);
    expect(queue.tryGet()).toBeUndefined();
    expect(expired).toBe(MANY);
  });
});
