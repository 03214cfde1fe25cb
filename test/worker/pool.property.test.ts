import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PROBE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { Gate } from "../../src/worker/gate.js";
import { WorkerPool } from "../../src/worker/pool.js";
import type { DrainReport } from "../../src/worker/shutdown.js";
import { RUNS } from "../queue/model-runner.js";
import { ByHand, settled } from "./by-hand.js";
import { type Item, PoolModel, type Report } from "./pool-model.js";

/** Delays and limits; those of endings never fall on the same instant as any of the others. */
const DELAY_MS = 50;
const TIMEOUT_MS = 200;
const STALLED_AFTER_MS = 100;

type Step =
  | { readonly do: "put"; readonly kinds: Item["kind"][] }
  | { readonly do: "end"; readonly which: number; readonly isSuccess: boolean }
  | { readonly do: "pause" | "resume" }
  | { readonly do: "resize"; readonly to: number }
  | { readonly do: "advance"; readonly steps: number }
  | { readonly do: "drain" | "stop"; readonly limit: number };

const kind = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Item["kind"]>("held") },
  { weight: 1, arbitrary: fc.constantFrom<Item["kind"]>("succeeds", "throws") },
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      kinds: fc.array(kind, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.nat(9), isSuccess: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("pause" as const, "resume" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("resize" as const), to: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("advance" as const), steps: fc.integer({ min: 1, max: 12 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("drain" as const, "stop" as const),
      limit: fc.constantFrom(5, 45, 105, 255, Number.POSITIVE_INFINITY),
    }),
  },
);

const scenario = fc.record({
  concurrency: fc.integer({ min: 1, max: 3 }),
  attempts: fc.integer({ min: 1, max: 3 }),
  script: fc.array(step, { maxLength: 60, size: "max" }),
});

/** Plays a script on a pool and on its model, and compares them after every step. */
class ModelRunner {
  private readonly clock = new FakeClock();
  private readonly queue = new FifoQueue<Item>({ clock: this.clock });
  private readonly hand = new ByHand<Item>();
  private readonly log: string[] = [];
  private readonly reports = new Map<"drain" | "stop", Report>();
  private readonly model: PoolModel;
  private readonly pool: WorkerPool<Item>;
  private refused = 0;
  private nextId = 1;

  constructor(concurrency: number, attempts: number) {
    this.model = new PoolModel(concurrency, attempts, DELAY_MS, TIMEOUT_MS, STALLED_AFTER_MS);
    this.pool = new WorkerPool<Item>(
      this.queue,
      (item, task) => {
        this.log.push(`${item.id}#${task.attempt}`);
        if (item.kind === "succeeds") return undefined;
        if (item.kind === "throws") throw new Error("at once");
        return this.hand.handler(item, task);
      },
      {
        concurrency,
        retry: { attempts, backoff: { initialMs: 2 * DELAY_MS, maxMs: 2 * DELAY_MS } },
        timeoutMs: TIMEOUT_MS,
        stalledAfterMs: STALLED_AFTER_MS,
      },
    );
    this.pool.on("failed", () => {});
  }

  async play(script: readonly Step[]): Promise<void> {
    for (const each of script) {
      await this.perform(each);
      await settled();
      this.compare();
    }
    await this.finish();
  }

  /** Whatever happened, a drain ends it, and every item is accounted for. */
  private async finish(): Promise<void> {
    await this.perform({ do: "drain", limit: 1_005 });
    await settled();
    this.compare();
    await this.perform({ do: "advance", steps: 120 });
    while (this.hand.open.size > 0) {
      await this.perform({ do: "end", which: 0, isSuccess: true });
      await settled();
      this.compare();
    }
    await this.perform({ do: "advance", steps: 20 });
    const { done, failed } = this.pool.counts;
    expect(this.model.accepted).toBe(done + failed + this.queue.size + this.queue.delayed);
    expect(this.queue[PROBE].inFlight).toBe(0);
    expect(this.pool.workers).toEqual([]);
    expect(this.clock.pending).toBe(0);
    this.queue.shutdown({ immediate: true });
    await this.queue.join();
  }

  private async perform(each: Step): Promise<void> {
    const { model, pool } = this;
    if (each.do === "put") {
      const items = each.kinds.map((kind) => ({ id: this.nextId++, kind }));
      const wasOpen = model.isOpen;
      await this.queue.putMany(items).catch(() => {
        this.refused++;
      });
      if (wasOpen) model.put(items);
      else expect(this.refused).toBeGreaterThan(0);
    } else if (each.do === "end") {
      const calls = [...this.hand.open];
      const call = calls[each.which % calls.length];
      if (call === undefined) return;
      const running = model.running.find(({ item }) => item === call.item)!;
      if (each.isSuccess) call.done();
      else call.fail(new Error("by hand"));
      model.end(running, each.isSuccess);
    } else if (each.do === "resize") {
      pool.resize(each.to);
      model.resize(each.to);
    } else if (each.do === "advance") {
      for (let i = 0; i < 2 * each.steps; i++) {
        this.clock.advance(5);
        model.advance(5);
        await settled();
      }
    } else if (each.do === "drain" || each.do === "stop") {
      const { limit } = each;
      const report = each.do === "drain" ? pool.drain({ timeoutMs: limit }) : pool.stop({ graceMs: limit });
      void report.then((given) => this.note(given));
      model[each.do](limit);
    } else {
      pool[each.do]();
      model[each.do]();
    }
  }

  private note({ operation, done, failed, leftOver, abandoned, timedOut }: DrainReport): void {
    const report = {
      operation,
      done,
      failed,
      leftOver: leftOver.count,
      abandoned: abandoned.length,
      timedOut,
    };
    const before = this.reports.get(operation);
    if (before !== undefined) expect(report).toEqual(before);
    this.reports.set(operation, report);
  }

  private compare(): void {
    const { model, pool, queue, hand } = this;
    expect(this.log).toEqual(model.log);
    expect(pool.counts).toEqual(model.counts);
    expect(pool.running).toBe(model.running.length);
    expect([...hand.open].map(({ item }) => item)).toEqual(model.running.map(({ item }) => item));
    expect(queue.size).toBe(model.waiting.length);
    expect(queue.delayed).toBe(model.delayed.length);
    for (const { item, task } of hand.open) {
      const running = model.running.find((each) => each.item === item)!;
      expect(task.signal.aborted).toBe(model.isAborted(running));
      expect(task.attempt).toBe(running.attempt);
    }
    const states = { idle: 0, processing: 0, stalled: 0 };
    for (const { state } of pool.workers) states[state as keyof typeof states]++;
    expect(states).toEqual(model.states);
    for (const [operation, { report }] of model.endings) expect(this.reports.get(operation)).toEqual(report);
  }
}

beforeEach(() => void vi.spyOn(Math, "random").mockReturnValue(0.5));
afterEach(() => void vi.restoreAllMocks());

describe("any sequence of puts, ends, pauses, resizes, drains and stops", () => {
  it("does to a pool what it does to plain arrays", async () => {
    const play = async ({
      concurrency,
      attempts,
      script,
    }: {
      concurrency: number;
      attempts: number;
      script: Step[];
    }) => new ModelRunner(concurrency, attempts).play(script);
    await fc.assert(fc.asyncProperty(scenario, play), RUNS);
  });
});

type Chaos =
  | "put"
  | "put many"
  | "done"
  | "fail"
  | "pause"
  | "resume"
  | "resize"
  | "advance"
  | "take aside"
  | "break"
  | "mend"
  | "refuse"
  | "accept"
  | "drain"
  | "stop"
  | "shutdown"
  | "shutdown at once";
const often = [
  "put",
  "put many",
  "done",
  "fail",
  "pause",
  "resume",
  "resize",
  "advance",
  "take aside",
] as const;
const rarely = ["break", "mend", "refuse", "accept"] as const;
const chaos = fc.record({
  what: fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom<Chaos>(...often) },
    { weight: 10, arbitrary: fc.constantFrom<Chaos>(...rarely) },
    { weight: 1, arbitrary: fc.constantFrom<Chaos>("drain", "stop", "shutdown", "shutdown at once") },
  ),
  n: fc.nat(20),
});

describe("whatever happens to two pools that share a queue, a gate and a dead letter", () => {
  it("every item that was accepted is done, dropped, dead-lettered, or left over: once", async () => {
    const play = async (script: { what: Chaos; n: number }[]) => {
      const clock = new FakeClock({ tickMs: 0.001 });
      const ends = new Map<number, string[]>();
      const end = (item: number, how: string) => {
        const hows = ends.get(item) ?? [];
        ends.set(item, [...hows, how]);
      };
      let isBroken = false;
      let isRefusing = false;
      const queue = new FifoQueue<number>({
        clock,
        capacity: 6,
        whenFull: "evict",
        onDrop: (item, reason) => end(item, reason),
      });
      const gate = new Gate({
        name: "downstream",
        clock,
        concurrency: 3,
        policy: {
          execute: async (fn) => {
            if (isBroken) throw new Error("open");
            return fn({});
          },
        },
      });
      const hands = [new ByHand<number>(), new ByHand<number>()];
      const pools = hands.map((hand, i) => {
        const handler = (item: number, task: never) => {
          if (item % 7 === 0) throw new Error("at once");
          return item % 11 === 0 ? undefined : hand.handler(item, task);
        };
        const pool = new WorkerPool<number>(queue, handler as never, {
          concurrency: i + 1,
          gate,
          retry: { attempts: 2, backoff: { initialMs: 20 } },
          timeoutMs: 300,
          stalledAfterMs: 50,
          deadLetter: async (item) => {
            if (isRefusing) throw new Error("refused");
            end(item, "dead-lettered");
          },
          onFailed: (item) => {
            if (item % 5 === 0) throw new Error("mine");
            return item % 13 === 0 ? "drop" : undefined;
          },
        });
        pool.on("failed", ({ item, verdict }) => {
          if (verdict === "drop") end(item, "failed");
        });
        return pool;
      });
      let accepted = 0;
      let taken = 0;
      let next = 1;
      const act: Record<Chaos, (n: number) => unknown> = {
        put: async () => {
          const item = next++;
          await queue.put(item).then(
            () => accepted++,
            () => ends.delete(item),
          );
        },
        "put many": async (n) => {
          const items = Array.from({ length: 1 + (n % 4) }, () => next++);
          await queue.putMany(items).then(
            () => {
              accepted += items.length;
            },
            ({ accepted: count, items: rest }: { accepted: number; items: number[] }) => {
              accepted += count;
              for (const item of rest) ends.delete(item);
            },
          );
        },
        done: (n) => {
          const calls = hands.flatMap(({ open }) => [...open]);
          calls[n % calls.length]?.done();
        },
        fail: (n) => {
          const calls = hands.flatMap(({ open }) => [...open]);
          calls[n % calls.length]?.fail(new Error("by hand"));
        },
        pause: (n) => pools[n % 2]!.pause(),
        resume: (n) => pools[n % 2]!.resume(),
        resize: (n) => pools[n % 2]!.resize(1 + (n % 4)),
        advance: (n) => clock.advance(n * n),
        "take aside": () => {
          try {
            if (queue.tryGet() === undefined) return;
          } catch {
            return; // it is shut down
          }
          taken++;
          queue.taskDone();
        },
        break: () => {
          isBroken = true;
        },
        mend: () => {
          isBroken = false;
        },
        refuse: () => {
          isRefusing = true;
        },
        accept: () => {
          isRefusing = false;
        },
        drain: (n) => void pools[n % 2]!.drain({ timeoutMs: n * 10 }),
        stop: (n) => void pools[n % 2]!.stop({ graceMs: n * 10 }),
        shutdown: () => queue.shutdown(),
        "shutdown at once": () => queue.shutdown({ immediate: true }),
      };
      for (const { what, n } of script) {
        await act[what](n);
        await settled();
        for (const [i, pool] of pools.entries())
          expect(hands[i]!.open.size).toBeLessThanOrEqual(pool.running);
        expect(gate.inFlight).toBeLessThanOrEqual(3);
        expect(queue[PROBE].inFlight).toBe(pools[0]!.running + pools[1]!.running);
      }
      isBroken = false;
      isRefusing = false;
      const drains = pools.map((pool) => pool.drain({ timeoutMs: 100_000 }));
      for (let i = 0; i < 60 && (i < 2 || pools.some(({ workers }) => workers.length > 0)); i++) {
        for (const { open } of hands) for (const call of open) call.done();
        clock.advance(1_000);
        await settled();
      }
      await Promise.all(drains);
      clock.advance(10_000);
      for (let i = 0; i < 10; i++) await settled();
      const counted = pools.map(({ counts }) => counts);
      const sum = (name: "done" | "failed" | "deadLettered") => counted[0]![name] + counted[1]![name];
      const told = (...names: string[]) =>
        [...ends.values()].flat().filter((how) => names.includes(how)).length;
      for (const hows of ends.values()) expect(hows).toHaveLength(1);
      expect(sum("failed")).toBe(told("failed"));
      expect(sum("deadLettered")).toBe(told("dead-lettered"));
      const dropped = told("evicted", "shutdown");
      const left = queue.size + queue.delayed;
      expect(sum("done") + sum("failed") + sum("deadLettered") + dropped + taken + left).toBe(accepted);
      expect(queue[PROBE]).toMatchObject({ inFlight: 0, waitingGets: 0 });
      expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
      expect(clock.pending).toBe(0);
      queue.shutdown({ immediate: true });
      await queue.join();
    };
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    await fc.assert(fc.asyncProperty(fc.array(chaos, { maxLength: 80, size: "max" }), play), {
      numRuns: 150,
    });
  });
});
