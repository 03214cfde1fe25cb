import { describe, expect, it } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { drainOnSignals } from "../../src/worker/drain-on-signals.js";
import { Gate } from "../../src/worker/gate.js";
import { type Group, runGroup } from "../../src/worker/group.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { inThreads } from "../../src/worker/threads.js";

const nothing = () => {};
const pool = new WorkerPool(new FifoQueue(), nothing);
const threads = new URL("threads/commonjs.cjs", import.meta.url);

/** Every call of this folder's that takes options, by what it is called. */
const calls: Record<string, (options: never) => unknown> = {
  WorkerPool: (options) => new WorkerPool(new FifoQueue(), nothing, options),
  Gate: (options) => new Gate(options),
  drain: (options) => pool.drain(options),
  stop: (options) => pool.stop(options),
  health: (options) => pool.health(options),
  advice: (options) => pool.advice(options),
  drainOnSignals: (options) => drainOnSignals([pool], options),
  runGroup: (options) => runGroup(nothing, options),
  inThreads: (options) => inThreads(threads, options),
  close: (options) => inThreads(threads).close(options),
};

describe("an unknown option is refused, with the one that was meant, by", () => {
  it.each<[string, object, string]>([
    ["WorkerPool", { concurency: 2 }, "concurrency"],
    ["WorkerPool", { retry: { atempts: 3 } }, "retry.attempts"],
    ["WorkerPool", { retry: { attempts: 3, backoff: { initial: 5 } } }, "retry.backoff.initialMs"],
    ["Gate", { name: "a", concurency: 2 }, "concurrency"],
    ["drain", { timeoutMS: 5 }, "timeoutMs"],
    ["stop", { grace: 5 }, "graceMs"],
    ["health", { maxDept: 5 }, "maxDepth"],
    ["advice", { maxUtilization: 0.5 }, "maxUtilisation"],
    ["advice", { sla: { targetMs: 5, objectiv: 0.9 } }, "sla.objective"],
    ["drainOnSignals", { timeout: 5 }, "timeoutMs"],
    ["runGroup", { signl: undefined, sigal: AbortSignal.abort() }, "signal"],
    ["inThreads", { thread: 2 }, "threads"],
    ["close", { graceMS: 5 }, "graceMs"],
  ])("%s %j", async (name, options, meant) => {
    const call = async () => calls[name]!(options as never);
    await expect(call()).rejects.toThrow(`is not an option; did you mean ${meant}?`);
  });
});

describe("an option without effect is refused", () => {
  it("a pause between attempts, where there is one attempt", () => {
    const backoff = { initialMs: 5 };
    const make = (options: object) => () => new WorkerPool(new FifoQueue(), nothing, options);
    expect(make({ retry: { backoff } })).toThrow("retry.backoff has no effect without retry.attempts");
    expect(make({ retry: { attempts: 1, backoff } })).not.toThrow();
    // What that refuses comes back after a pause.
    expect(make({ retry: { backoff }, deadLetter: nothing })).not.toThrow();
  });

  it("a gate that would let everything through, unless its options say so", () => {
    const message =
      'concurrency or policy must be given: without them, gate "a" would let every call through';
    expect(() => new Gate({ name: "a" })).toThrow(message);
    expect(() => new Gate({ name: "a", concurrency: Number.POSITIVE_INFINITY })).not.toThrow();
    expect(() => new Gate({ name: "a", policy: { execute: (fn) => Promise.resolve(fn({})) } })).not.toThrow();
  });
});

it("an empty object is called one, where others are allowed", () => {
  expect(() => new PriorityQueue({ tiers: {} })).toThrow(/^tiers must be .*, not an empty object$/);
});

describe("what is missing is called undefined", () => {
  it.each<[string, () => unknown]>([
    ["handler", () => new WorkerPool(new FifoQueue(), undefined as never)],
    ["fn", () => new Gate({ name: "a", concurrency: 1 }).run(undefined as never)],
    ["policy.execute", () => new Gate({ name: "a", policy: {} as never })],
    ["body", () => runGroup(undefined as never)],
    ["fn", () => runGroup((group: Group) => group.run(undefined as never))],
  ])("%s", async (name, call) => {
    await expect((async () => call())()).rejects.toThrow(`${name} must be a function, not undefined`);
  });
});
