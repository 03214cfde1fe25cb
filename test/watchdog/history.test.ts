import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Tally, TaskFacts, TaskView, Watchable } from "../../src/contracts/index.js";
import { History } from "../../src/watchdog/sampling/history.js";

/** A queue whose numbers are set by hand. */
const numbers = { now: 0, waitedMs: 0, depth: 0, enqueued: 0, dequeued: 0, succeeded: 0, processedMs: 0 };
let oldest: TaskView | undefined;
const tally: Tally = {
  enqueued: () => numbers.enqueued,
  dequeued: () => numbers.dequeued,
  overtaken: () => 0,
  dropped: () => 0,
  get succeeded() {
    return numbers.succeeded;
  },
  failed: 0,
  retried: 0,
  firstRetried: 0,
  deadLettered: 0,
  get processedMs() {
    return numbers.processedMs;
  },
  lastFailure: undefined,
};
const queue = {
  name: "orders",
  tally,
  probe: {
    tiers: ["default"],
    now: () => numbers.now,
    depth: () => numbers.depth,
    oldestAt: () => (numbers.waitedMs === 0 ? undefined : numbers.now - numbers.waitedMs),
    tasks: () => (oldest === undefined ? [] : [oldest]),
  },
} as unknown as Watchable;

let history: History;

beforeEach(() => {
  Object.assign(numbers, {
    now: 0,
    waitedMs: 0,
    depth: 0,
    enqueued: 0,
    dequeued: 0,
    succeeded: 0,
    processedMs: 0,
  });
  oldest = undefined;
  history = new History(queue);
  history.look();
});

/** A second passes, in which so many come and so many are served, each in 50 ms. */
function second(come: number, served: number): void {
  numbers.now += 1_000;
  numbers.enqueued += come;
  numbers.dequeued += served;
  numbers.succeeded += served;
  numbers.processedMs += 50 * served;
  numbers.depth += come - served;
  history.look();
}

function facts(): TaskFacts {
  return { tier: "default", attempt: 1, waitMs: 0, correlationId: "id" };
}

describe("rates", () => {
  it("are those of a minute of looks, and of the last few", () => {
    for (let i = 0; i < 100; i++) second(10, 10);
    for (let i = 0; i < 5; i++) second(40, 20);
    expect(history.recent()).toMatchObject({ windowMs: 5_000, arrivedPerSecond: 40, takenPerSecond: 20 });
    expect(history.rates()).toMatchObject({ windowMs: 59_000, serviceMs: 50 });
    expect(history.takenEver).toBe(1_100);
  });

  it("are 0 before there is anything to compare", () => {
    expect(history.recent()).toMatchObject({ windowMs: 0, arrivedPerSecond: 0, serviceMs: undefined });
    expect(history.lastTakenMsAgo(numbers.now)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("the beginning", () => {
  it("is known: what was taken between it and the first look was taken under watch", () => {
    numbers.dequeued = 5;
    const late = new History(queue);
    numbers.now = 3;
    late.look();
    expect(late.lastTakenMsAgo(10)).toBe(Number.POSITIVE_INFINITY);
    const timely = new History(queue);
    numbers.dequeued = 6;
    timely.look();
    expect(timely.lastTakenMsAgo(10)).toBe(7);
    expect(timely.lastEndedMsAgo(10)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a backlog", () => {
  it("begins where next to nothing waited, and is told in two halves", () => {
    for (let i = 0; i < 10; i++) second(10, 10);
    for (let i = 0; i < 4; i++) second(50, 10);
    for (let i = 0; i < 4; i++) second(0, 10);
    expect(history.backlog()).toEqual({
      windowMs: 8_000,
      taken: 80,
      arrivedPerSecond: 25,
      takenPerSecond: 10,
      later: { arrivedPerSecond: 0, takenPerSecond: 10 },
    });
  });

  it("of less than five looks is none", () => {
    for (let i = 0; i < 3; i++) second(50, 10);
    expect(history.backlog()).toBeUndefined();
    second(50, 10);
    expect(history.backlog()).toBeDefined();
  });
});

describe("turns since an item came in", () => {
  it("are those of all tiers; who came later and is no longer there has overtaken it", () => {
    const counts = { now: 0, enqueued: [5, 1], dequeued: [0, 0], depths: [5, 1] };
    const two = {
      name: "orders",
      tally: {
        ...tally,
        enqueued: (tier: number) => counts.enqueued[tier]!,
        dequeued: (tier: number) => counts.dequeued[tier]!,
      },
      probe: {
        tiers: ["vip", "regular"],
        now: () => counts.now,
        depth: (tier: number) => counts.depths[tier]!,
        oldestAt: () => undefined,
      },
    } as unknown as Watchable;
    const turns = new History(two);
    turns.look();
    Object.assign(counts, { now: 1_000, enqueued: [35, 1], dequeued: [30, 0], depths: [5, 1] });
    turns.look();
    // Five vips were there before it, or five that came later are not served yet.
    expect(turns.turnsSince(0, 1)).toEqual({ taken: 30, overtook: 25 });
    expect(turns.turnsSince(0, 0)).toEqual({ taken: 30, overtook: 0 });
    expect(turns.turnsSince(500, 1)).toEqual({ taken: 0, overtook: 0 });
  });
});

describe("what is usual", () => {
  it("is the mean time of tasks before an instant", () => {
    for (let i = 0; i < 3; i++) second(10, 10);
    numbers.processedMs += 10_000;
    second(10, 10);
    expect(history.serviceMsBefore(3_000)).toBe(50);
    expect(history.serviceMsBefore(-1)).toBeUndefined();
  });

  it("goes by all that ended before the looks that are remembered, where these don't go back so far", () => {
    for (let i = 0; i < 40; i++) second(10, 10);
    for (let i = 0; i < 60; i++) {
      numbers.processedMs += 10_000;
      second(10, 10);
    }
    expect(history.serviceMsBefore(20_000)).toBeCloseTo(50, -2);
  });

  it("is the longest time of a task that is over, as far as looks saw it", () => {
    oldest = { facts: facts(), takenAt: 100, carrier: undefined };
    second(1, 0);
    second(0, 1);
    // It is still there: nothing is known of its tier.
    expect(history.longestMs("default", 0, 1)).toBeUndefined();
    oldest = undefined;
    second(0, 0);
    expect(history.longestMs("default", 0, 0)).toBe(1_900);
  });

  it("is next to nothing where tasks are over before a look", () => {
    second(10, 10);
    expect(history.longestMs("default", 0, 1)).toBe(0);
  });
});

describe("a pile", () => {
  /** A second passes, and the head has waited so long by then. */
  const looked = (waitedMs: number) => {
    numbers.waitedMs = waitedMs;
    second(0, 0);
  };

  it("began when the oldest item had waited for next to nothing, and what ended a little before counts", () => {
    looked(0);
    looked(0);
    looked(500);
    looked(1_500);
    expect(history.pileBeganAt(0, 1_500, numbers.now)).toBe(1_000);
    expect(history.pileBeganAt(0, 4_000, numbers.now)).toBe(0);
  });

  it("began with the head itself where nothing is known of before, and at the first look where it was there already", () => {
    expect(history.pileBeganAt(0, 300, numbers.now)).toBe(-300);
    looked(9_000);
    looked(10_000);
    expect(history.pileBeganAt(0, 10_000, numbers.now)).toBe(-8_000);
  });
});

describe("late looks", () => {
  it("hold up every task, and are the event loop's fault only while the process is at work", () => {
    for (let i = 0; i < 3; i++) second(0, 0);
    numbers.now += 4_000;
    second(0, 0);
    expect(history.heldUpMs(0)).toBe(4_000);
    expect(history.heldUpMs(numbers.now)).toBe(0);
    // This test took next to no processor time.
    expect([history.lateMs(0), history.starvedMs(0)]).toEqual([0, 4_000]);
  });

  it("count from when the item came in that had to wait", () => {
    const used = vi.spyOn(process, "cpuUsage");
    onTestFinished(() => used.mockRestore());
    const atWork = () => used.mockReturnValue({ user: 1_000 * numbers.now, system: 0 });
    for (let i = 0; i < 3; i++) {
      second(0, 0);
      atWork();
    }
    numbers.now += 4_000;
    atWork();
    second(0, 0);
    expect([history.lateMs(0), history.starvedMs(0)]).toEqual([4_000, 0]);
    expect(history.lateMs(numbers.now - 500)).toBe(500);
    expect(history.heldUpMs(numbers.now - 500)).toBe(500);
  });
});
