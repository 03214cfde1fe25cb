import { describe, expect, it } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import type { QueueOptions } from "../../src/queue/options.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import type { Advice, SizingAdvice } from "../../src/worker/advice.js";
import { forecast, type Load, shareWithin } from "../../src/worker/forecast.js";
import { Gate } from "../../src/worker/gate.js";
import type { WorkerPoolOptions } from "../../src/worker/options.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { turns } from "../../src/worker/turns.js";

/** A generator of numbers between 0 and 1 that gives the same ones again (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Times = (meanMs: number, random: () => number) => number;

/** How long things take, by the letter that queueing theory gives it, and variance / mean². */
const SHAPES: Record<string, { readonly times: Times; readonly variability: number }> = {
  M: { times: (mean, random) => -mean * Math.log(1 - random()), variability: 1 },
  D: { times: (mean) => mean, variability: 0 },
  /** One in ten takes five times the mean, the others 5/9 of it, each at random: 2 Σ p m² - 1, for a mean of 1. */
  H: {
    times: (mean, random) => -(random() < 0.1 ? 5 : 5 / 9) * mean * Math.log(1 - random()),
    variability: 2 * (0.1 * 25 + 0.9 * (5 / 9) ** 2) - 1,
  },
};

interface Run {
  readonly arrivals: string;
  readonly service: string;
  readonly concurrency: number;
  readonly utilisation: number;
}

const SERVICE_MS = 20;

function loadOf({ arrivals, service, concurrency, utilisation }: Run): Load {
  return {
    arrivalsPerSecond: (utilisation * concurrency * 1000) / SERVICE_MS,
    serviceMs: SERVICE_MS,
    arrivalVariability: SHAPES[arrivals]!.variability,
    serviceVariability: SHAPES[service]!.variability,
  };
}

/** The waits of that many items, in order of arrival, after a time to settle. */
function simulate(run: Run, count: number, seed: number): number[] {
  const random = randomFrom(seed);
  const { arrivalsPerSecond } = loadOf(run);
  const freeAt = new Array<number>(run.concurrency).fill(0);
  const waits: number[] = [];
  let now = 0;
  for (let i = 0; i < count * 1.1; i++) {
    now += SHAPES[run.arrivals]!.times(1000 / arrivalsPerSecond, random);
    let next = 0;
    for (let worker = 1; worker < freeAt.length; worker++) if (freeAt[worker]! < freeAt[next]!) next = worker;
    const startsAt = Math.max(now, freeAt[next]!);
    freeAt[next] = startsAt + SHAPES[run.service]!.times(SERVICE_MS, random);
    if (i >= count * 0.1) waits.push(startsAt - now);
  }
  return waits;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const runs = (arrivals: string, service: string, workers = [1, 4, 8, 16]): Run[] =>
  workers.flatMap((concurrency) =>
    [0.6, 0.75, 0.9].map((utilisation) => ({ arrivals, service, concurrency, utilisation })),
  );

describe("a forecast", () => {
  it.each([...runs("M", "M"), ...runs("M", "D"), ...runs("M", "H", [1, 4, 8]), ...runs("D", "M", [1, 4])])(
    "of the wait in $arrivals/$service/$concurrency at $utilisation is right within 20 %",
    (run) => {
      const waits = simulate(run, 300_000, 7);
      const { waitMs } = forecast(loadOf(run), run.concurrency);
      expect(waitMs / mean(waits)).toBeGreaterThan(0.8);
      expect(waitMs / mean(waits)).toBeLessThan(1.2);
    },
  );

  it.each([...runs("M", "M"), ...runs("M", "D")])(
    "of who waits no longer than twice the mean in $arrivals/$service/$concurrency at $utilisation is right within 0.05",
    (run) => {
      const waits = simulate(run, 200_000, 11);
      const targetMs = 2 * mean(waits);
      const onTime = waits.filter((wait) => wait <= targetMs).length / waits.length;
      expect(Math.abs(shareWithin(forecast(loadOf(run), run.concurrency), targetMs) - onTime)).toBeLessThan(
        0.05,
      );
    },
  );

  it("is Erlang's, where arrivals and service are at random", () => {
    // From the tables: 8 erlangs on 10 workers, 40.9 % wait; 0.5 on 1, half of them.
    const load = { arrivalsPerSecond: 8, serviceMs: 1_000, arrivalVariability: 1, serviceVariability: 1 };
    const ten = forecast(load, 10);
    expect(ten.waitingRatio).toBeCloseTo(0.409, 3);
    expect(ten.waitMs).toBeCloseTo((0.409_18 / 2) * 1_000, 0);
    expect(ten.depth).toBeCloseTo(8 * 0.409_18 * 0.5, 2);
    const one = forecast({ ...load, arrivalsPerSecond: 0.5 }, 1);
    expect([one.waitingRatio, one.waitMs, one.utilisation]).toEqual([0.5, 1_000, 0.5]);
  });

  it("without arrivals is that no item waits, and with too many that all do, for ever", () => {
    const load = { arrivalsPerSecond: 0, serviceMs: 10, arrivalVariability: 1, serviceVariability: 0 };
    for (const concurrency of [1, 3])
      expect(forecast(load, concurrency)).toEqual({
        concurrency,
        servedPerSecond: 100 * concurrency,
        utilisation: 0,
        waitingRatio: 0,
        waitMs: 0,
        depth: 0,
      });
    expect(shareWithin(forecast(load, 3), 0)).toBe(1);
    const swamped = forecast({ ...load, arrivalsPerSecond: 300 }, 3);
    expect(swamped).toMatchObject({ utilisation: 1, waitMs: Number.POSITIVE_INFINITY });
    expect(shareWithin(swamped, 1_000)).toBe(0);
  });
});

/** A pool whose tasks take as long as is said, on a clock that goes from event to event. */
class Plant {
  readonly clock = new FakeClock();
  readonly queue: FifoQueue<number>;
  readonly pool: WorkerPool<number>;
  private isOver = false;
  private readonly ends: { readonly at: number; readonly resolve: () => void }[] = [];

  constructor(
    serviceMs: () => number,
    { capacity, ...options }: WorkerPoolOptions<number> & QueueOptions<number> = {},
  ) {
    this.queue = new FifoQueue<number>({ clock: this.clock, capacity });
    this.pool = new WorkerPool(
      this.queue,
      () => {
        if (this.isOver) return undefined;
        return new Promise<void>((resolve) => this.end(this.clock.now() + serviceMs(), resolve));
      },
      options,
    );
  }

  /** Items come, at intervals, for so long. */
  async run(forMs: number, intervalMs: () => number): Promise<void> {
    const until = this.clock.now() + forMs;
    let nextAt = this.clock.now() + intervalMs();
    for (let events = 1; ; events++) {
      // A pool lets the event loop have its turn now and then, by real time: no other time passes until it has had it.
      if (turns.isDue || events % 200 === 0) await new Promise(setImmediate);
      const end = this.ends[0];
      const at = Math.min(nextAt, end?.at ?? Number.POSITIVE_INFINITY);
      if (at > until) break;
      this.clock.advance(at - this.clock.now());
      if (at === end?.at) this.ends.shift()!.resolve();
      else {
        this.queue.put(at).catch(() => {}); // what waits at the end is refused
        nextAt = at + intervalMs();
      }
      for (let i = 0; i < 5; i++) await undefined;
    }
    this.clock.advance(until - this.clock.now());
  }

  async finish(): Promise<void> {
    this.isOver = true;
    this.queue.shutdown({ immediate: true });
    for (const { resolve } of this.ends) resolve();
    await this.pool.drain();
  }

  private end(at: number, resolve: () => void): void {
    const index = this.ends.findIndex((each) => each.at > at);
    this.ends.splice(index === -1 ? this.ends.length : index, 0, { at, resolve });
  }
}

function plantFor(run: Run, seed: number, options?: WorkerPoolOptions<number>) {
  const random = randomFrom(seed);
  const { arrivalsPerSecond } = loadOf(run);
  const plant = new Plant(() => SHAPES[run.service]!.times(SERVICE_MS, random), {
    concurrency: run.concurrency,
    ...options,
  });
  return { plant, interval: () => SHAPES[run.arrivals]!.times(1000 / arrivalsPerSecond, random) };
}

function enough(advice: Advice): SizingAdvice {
  if (!advice.isEnough) throw new Error(String(advice));
  return advice;
}

const within = (share: number) => (actual: number, expected: number) => {
  expect(actual / expected).toBeGreaterThan(1 - share);
  expect(actual / expected).toBeLessThan(1 + share);
};

describe("advice for a pool", () => {
  it.each([
    ...[0.5, 0.7, 0.85].flatMap((utilisation) => [
      { arrivals: "M", service: "M", concurrency: 8, utilisation },
      { arrivals: "M", service: "D", concurrency: 8, utilisation },
    ]),
    { arrivals: "D", service: "M", concurrency: 8, utilisation: 0.85 },
  ])(
    "measures $arrivals/$service/$concurrency at $utilisation and foresees the wait within 20 %",
    async (run) => {
      const { plant, interval } = plantFor(run, 5);
      plant.pool.advice();
      await plant.run(65_000, interval);
      const advice = enough(plant.pool.advice());
      const load = loadOf(run);
      within(0.1)(advice.arrivalsPerSecond, load.arrivalsPerSecond);
      within(0.1)(advice.serviceMs, SERVICE_MS);
      within(0.1)(advice.today.utilisation, run.utilisation);
      within(0.2)(advice.today.waitMs, mean(simulate(run, 300_000, 3)));
      within(0.2)(advice.today.depth, (load.arrivalsPerSecond * mean(simulate(run, 300_000, 3))) / 1000);
      await plant.finish();
    },
  );

  it.each([
    { arrivals: "M", service: "M", concurrency: 1, utilisation: 0.7 },
    { arrivals: "M", service: "M", concurrency: 2, utilisation: 0.9 },
    { arrivals: "M", service: "H", concurrency: 4, utilisation: 0.8 },
  ])(
    "says between which waits the one of $arrivals/$service/$concurrency at $utilisation lies",
    async (run) => {
      const { plant, interval } = plantFor(run, 5);
      plant.pool.advice();
      await plant.run(65_000, interval);
      const { todayWaitMs, today } = enough(plant.pool.advice());
      const waitMs = mean(simulate(run, 300_000, 3));
      expect(todayWaitMs.atLeast).toBeLessThan(waitMs);
      expect(todayWaitMs.atMost).toBeGreaterThan(waitMs);
      expect(todayWaitMs.atLeast).toBeLessThan(today.waitMs);
      expect(todayWaitMs.atMost).toBeGreaterThan(today.waitMs);
      await plant.finish();
    },
  );

  it("foresees what other numbers of workers do", async () => {
    const { plant, interval } = plantFor(
      { arrivals: "M", service: "M", concurrency: 12, utilisation: 0.55 },
      9,
    );
    plant.pool.advice();
    await plant.run(65_000, interval);
    const advice = enough(plant.pool.advice());
    for (const concurrency of [8, 9, 10]) {
      const run = { arrivals: "M", service: "M", concurrency, utilisation: (0.55 * 12) / concurrency };
      within(0.2)(advice.with(concurrency).waitMs, mean(simulate(run, 300_000, 3)));
    }
    expect(advice.with(6).waitMs).toBe(Number.POSITIVE_INFINITY);
    expect(advice.fewestWorkers).toBe(7);
    await plant.finish();
  });

  it("is as many workers as keep the promise, when they are tried", async () => {
    const overloaded: Run = { arrivals: "M", service: "M", concurrency: 4, utilisation: 1.5 };
    const { plant, interval } = plantFor(overloaded, 21);
    plant.pool.advice();
    await plant.run(40_000, interval);
    const advice = enough(plant.pool.advice({ sla: { targetMs: 10, objective: 0.95 } }));
    expect(advice.today.waitMs).toBe(Number.POSITIVE_INFINITY);
    expect(advice.drainMs).toBe(Number.POSITIVE_INFINITY);
    expect(String(advice)).toContain("the queue never drains");
    const { concurrency } = advice.advised;
    const share = (workers: number) => {
      const waits = simulate({ ...overloaded, concurrency: workers, utilisation: 6 / workers }, 200_000, 13);
      return waits.filter((wait) => wait <= 10).length / waits.length;
    };
    expect(share(concurrency)).toBeGreaterThan(0.94);
    expect(share(concurrency - 2)).toBeLessThan(0.95);
    expect(advice.onTimeRatio(concurrency, 10)).toBeGreaterThanOrEqual(0.95);
    await plant.finish();
  });

  it("says how long the queue takes to drain", async () => {
    const plant = new Plant(() => 20, { concurrency: 4 });
    plant.pool.advice();
    await plant.run(30_000, () => 10); // 100 a second, of the 200 that are possible
    for (let i = 0; i < 1_000; i++) await plant.queue.put(plant.clock.now());
    // So much at once is an arrival, too.
    const { drainMs, arrivalsPerSecond, depth, today } = enough(plant.pool.advice());
    expect([depth > 990, today.servedPerSecond]).toEqual([true, 200]);
    within(0.01)(drainMs, (depth / (200 - arrivalsPerSecond)) * 1000);
    plant.pool.pause();
    expect(enough(plant.pool.advice()).drainMs).toBe(Number.POSITIVE_INFINITY);
    expect(String(plant.pool.advice())).toContain("the pool takes nothing now");
    await plant.finish();
  });

  it("says that an empty queue is drained, and that waiting puts hide how much would come", async () => {
    const plant = new Plant(() => 50, { concurrency: 2, capacity: 10 });
    plant.pool.advice();
    await plant.run(10_000, () => 40);
    expect(enough(plant.pool.advice()).drainMs).toBe(0);
    await plant.run(60_000, () => 20); // 50 a second, of the 40 that are possible
    const advice = enough(plant.pool.advice());
    within(0.05)(advice.today.utilisation, 1);
    expect(advice.capacity.today).toBe(10);
    expect(advice.capacity.todayFullMs).toBe(250);
    expect(String(advice)).toMatch(/\d+ puts wait for room: more would come if it could/);
    await plant.finish();
  });

  it("advises a capacity whose last place is still in time, and checks it with the rules of thumb", async () => {
    const { plant, interval } = plantFor(
      { arrivals: "M", service: "M", concurrency: 8, utilisation: 0.7 },
      5,
    );
    plant.pool.advice();
    await plant.run(65_000, interval);
    const { capacity, advised } = enough(plant.pool.advice());
    expect(capacity.advised).toBeGreaterThanOrEqual(capacity.ruleAtLeast);
    expect([capacity.ruleAtLeast, capacity.ruleAtMost]).toEqual([
      2 * advised.concurrency,
      5 * advised.concurrency,
    ]);
    within(0.05)(capacity.concurrencyTimesSeconds, 8 * 0.02);
    const hasty = enough(plant.pool.advice({ sla: { targetMs: 15 } }));
    expect(hasty.capacity.advisedFullMs).toBeLessThanOrEqual(15);
    await plant.finish();
  });

  it("is in plain sentences", async () => {
    const plant = new Plant(() => 20, { concurrency: 4, name: "shipping", gate: undefined });
    plant.pool.advice();
    await plant.run(40_000, () => 10);
    expect(String(plant.pool.advice({ sla: { targetMs: 100 } }))).toMatchInlineSnapshot(`
      "shipping: in 40 s, 100 items a second came and 100 were done; one takes 20 ms, so 2 workers are busy (Little's law: 100 a second × 20 ms)
      today, with 4 workers: utilisation 50 %, an item waits 0 ms on average, 0 wait at a time; 100 % of the items wait no longer than 100 ms
      today's average wait is 0 ms to 0 ms, as far as 3998 tasks can tell
      advised, for a utilisation up to 80 %, with 3 workers: utilisation 66.7 %, an item waits 0 ms on average, 0 wait at a time; 100 % of the items wait no longer than 100 ms
      waits are by Erlang C and Allen–Cunneen (variability of arrivals 0, of service 0)
      capacity 6 is advised for 3 workers: its last place waits 40 ms; today there is no limit
      rules of thumb: 2–5 × workers is 6–15 items; concurrency × processing time is 0.08
      0 items are queued; at today's rates the queue is empty in 0 ms"
    `);
    await plant.finish();
  });

  it("names a gate that lets fewer through than there are to be workers", async () => {
    const clock = new FakeClock();
    const gate = new Gate({ name: "payments", concurrency: 1, clock });
    const plant = new Plant(() => 20, { concurrency: 4, gate });
    plant.pool.advice();
    await plant.run(10_000, () => 12);
    expect(String(plant.pool.advice())).toContain(
      "gate payments lets 1 through at a time: more workers than that wait for it",
    );
    await plant.finish();
  });

  it("is that there is not enough evidence, until there is", async () => {
    const plant = new Plant(() => 20, { concurrency: 1 });
    expect(plant.pool.advice()).toMatchObject({ isEnough: false, tasks: 0, observedMs: 0, tasksNeeded: 30 });
    await plant.run(2_000, () => 100);
    expect(String(plant.pool.advice())).toBe("not enough evidence yet: 19 tasks in 2 s; it takes 30 in 5 s");
    await plant.run(2_000, () => 20);
    expect(plant.pool.advice().isEnough).toBe(false); // enough tasks, in too little time
    await plant.run(2_000, () => 100);
    expect(plant.pool.advice().isEnough).toBe(true);
    await plant.finish();
  });

  it("counts no task whose time was not taken", async () => {
    const plant = new Plant(() => 20, { concurrency: 1 });
    await plant.run(10_000, () => 100);
    expect(plant.pool.advice()).toMatchObject({ isEnough: false, tasks: 0 });
    await plant.run(10_000, () => 100);
    expect(enough(plant.pool.advice()).serviceMs).toBe(20);
    await plant.finish();
  });

  it("is of the last minute, when the load has changed", async () => {
    const plant = new Plant(() => 20, { concurrency: 4 });
    plant.pool.advice();
    await plant.run(60_000, () => 10);
    await plant.run(62_000, () => 40);
    const advice = enough(plant.pool.advice());
    within(0.05)(advice.arrivalsPerSecond, 25);
    expect(advice.observedMs).toBeLessThan(64_000);
    await plant.finish();
  });

  it("covers a longer time, where little happens", async () => {
    const plant = new Plant(() => 20, { concurrency: 1 });
    plant.pool.advice();
    await plant.run(3_600_000, () => 30_000);
    const advice = enough(plant.pool.advice());
    expect(advice.tasks).toBeGreaterThanOrEqual(50);
    within(0.05)(advice.arrivalsPerSecond, 1 / 30);
    await plant.finish();
  });

  it("refuses options and arguments that are none", async () => {
    const plant = new Plant(() => 20, { concurrency: 1 });
    const advise = (options: unknown) => () => plant.pool.advice(options as undefined);
    expect(advise(null)).toThrow("options must be an object, not null");
    expect(advise({ sla: 5 })).toThrow("sla must be an object, not 5");
    expect(advise({ sla: {} })).toThrow("sla.targetMs must be milliseconds, greater than 0, not undefined");
    expect(advise({ sla: { targetMs: 5, objective: 1 } })).toThrow(
      "sla.objective must be a number between 0 and 1",
    );
    expect(advise({ maxUtilisation: 80 })).toThrow("maxUtilisation must be a number between 0 and 1, not 80");
    plant.pool.advice();
    await plant.run(10_000, () => 100);
    const advice = enough(plant.pool.advice());
    expect(() => advice.with(0)).toThrow("concurrency must be a whole number from 1, not 0");
    expect(() => advice.onTimeRatio(1.5, 3)).toThrow("concurrency must be a whole number from 1, not 1.5");
    expect(() => advice.onTimeRatio(1, -3)).toThrow("targetMs must be milliseconds, from 0, not -3");
    await plant.finish();
  });
});
