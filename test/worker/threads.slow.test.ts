import { spawn } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { context, createTraceState, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { withCorrelationId } from "../../src/telemetry/context/correlation.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { inThreads, type ThreadHandler, type ThreadsOptions } from "../../src/worker/threads.js";
import { signal as gate } from "../support/telemetry-capture.js";
import type { Job } from "./threads/jobs.js";
import { hand, Tenant, withTenant } from "./threads/tenant.js";

const TSX = ["--import", new URL("../support/typescript-in-threads.mjs", import.meta.url).href];
const fileOf = (name: string) => new URL(`./threads/${name}`, import.meta.url);

const made: ThreadHandler<never, unknown>[] = [];

function threadsOf<T = Job>(options: ThreadsOptions = {}, file = "jobs.js"): ThreadHandler<T, unknown> {
  const handler = inThreads<T>(fileOf(file), { threads: 1, execArgv: TSX, ...options });
  made.push(handler);
  return handler;
}

/** For tests that leave their thread as they found it: it takes a while to start one. */
const shared = inThreads<Job>(fileOf("jobs.js"), { threads: 1, execArgv: TSX });
afterAll(() => shared.close({ graceMs: 0 }));

/** A caller who waits until the thread says that it is at the step. */
function follower() {
  const controller = new AbortController();
  const reached = gate<string>();
  return {
    controller,
    reached: reached.promise,
    task: { signal: controller.signal, step: (name: string) => reached.give(name) },
  };
}

/** A caller who notes what is told. */
function listener() {
  const told = { steps: [] as string[], ratios: [] as number[] };
  const step = (name: string) => void told.steps.push(name);
  return { told, task: { step, progress: (ratio: number) => void told.ratios.push(ratio) } };
}

/** Holds a thread, until it lets go. */
function hold(handler: ThreadHandler<Job, unknown>) {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const { reached, task } = follower();
  const result = handler(["hold", flag], task);
  const letGo = () => {
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
    return result;
  };
  return { reached, letGo };
}

const rejected = (promise: Promise<unknown>) =>
  promise.then(
    (result) => expect.fail(`resolved with ${String(result)}`),
    (error: unknown) => error,
  );

const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

const macrotask = () => new Promise(setImmediate);

afterEach(async () => {
  for (const handler of made.splice(0)) await handler.close({ graceMs: 0 });
});

describe("a handler in threads", () => {
  it("is called with the item, and resolves with a copy of what is returned", async () => {
    expect(await shared(["double", 21])).toBe(42);
    const map = new Map([["a", new Date(0)]]);
    expect(await rejected(shared(["failWith", map]))).toEqual(map);
  });

  it("works for a pool, and knows attempt, tier and correlation ID", async () => {
    const queue = new FifoQueue<Job>();
    const handler = threadsOf({ threads: 2 });
    const results: unknown[] = [];
    const failed: unknown[] = [];
    const pool = new WorkerPool(
      queue,
      async (item, task) => {
        if (item[0] === "fail" && task.attempt === 2) return;
        results.push(await handler(item, task));
      },
      { concurrency: 2, retry: { attempts: 2, backoff: { initialMs: 0 } } },
    );
    pool.on("failed", ({ error, verdict }) => failed.push([(error as Error).message, verdict]));
    await queue.put(["facts"], { correlationId: "c-1" });
    await queue.put(["fail"]);
    await queue.join();
    await pool.drain();
    expect(results).toEqual([expect.objectContaining({ attempt: 1, tier: "default", correlationId: "c-1" })]);
    expect(failed).toEqual([["no such order", "retry"]]);
  });

  it("hears of the latest step and progress before the end", async () => {
    const { told, task } = listener();
    await shared(["report"], task);
    expect(told.steps.at(-1)).toBe("last");
    expect(told.ratios).toEqual([0.5]);
    expect(await shared(["reportBadly"])).toEqual([
      "InvalidOptionTypeError: name must be a string, not 5",
      "InvalidOptionRangeError: ratio must be a number from 0 to 1, not 1.5",
      'InvalidOptionTypeError: ratio must be a number from 0 to 1, not "1"',
    ]);
  });

  it("runs as many tasks at a time as there are threads, in order of arrival", async () => {
    const handler = threadsOf({ threads: 2 });
    const over: unknown[] = [];
    const [first, second] = [hold(handler), hold(handler)];
    await Promise.all([first.reached, second.reached]);
    const waiting = [1, 2, 3].map((n) => handler(["double", n]).then((result) => over.push(result)));
    expect(await first.letGo()).toBe("let go");
    await Promise.all(waiting);
    expect(over).toEqual([2, 4, 6]);
    await second.letGo();
  });

  it("is a CommonJS module, if you like", async () => {
    expect(await threadsOf<number>({}, "commonjs.cjs")(41)).toBe(42);
  });

  it("lets the process end when there is nothing to do, though it was not closed", async () => {
    const script = fileURLToPath(fileOf("idle-process.ts"));
    const child = spawn(process.execPath, ["--import", "tsx", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
    expect({ output, code }).toEqual({ output: "42\n", code: 0 });
  });
});

describe("a thread that says more than can be heard", () => {
  it("is heard at once, then as often as there is time to look, and at its end", async () => {
    const handler = threadsOf({ clock: new FakeClock() });
    const { told, task } = listener();
    await handler(["shout", 100_000], task);
    expect(told.ratios.at(-1)).toBe(1);
    expect(told.steps.at(-1)).toBe("step 100000");
    expect(told.ratios.length).toBeLessThanOrEqual(2);
    expect(told.steps.length).toBeLessThanOrEqual(2);
  });

  it("is heard no more often than every 50 ms, and whole; of what it said last nothing is lost, though it goes deaf", async () => {
    const handler = threadsOf({ terminateAfterMs: 0 });
    const controller = new AbortController();
    const heardAll = gate<void>();
    const steps: string[] = [];
    const startedAt = performance.now();
    const result = rejected(
      handler(["shoutThenDeaf", 1_000_000], {
        signal: controller.signal,
        step: (name) => steps.push(name),
        progress: (ratio) => {
          if (ratio === 1) heardAll.give();
        },
      }),
    );
    await heardAll.promise;
    // A timer may be up to a millisecond early.
    expect(steps.length).toBeLessThanOrEqual((performance.now() - startedAt) / 49 + 1);
    for (const step of steps) {
      const [first] = step.split(" ");
      expect(step).toBe(`${first} `.repeat(20));
    }
    expect(steps.at(-1)).toBe("1000000 ".repeat(20));
    controller.abort();
    expect(await result).toMatchObject({ code: "QUEUE_THREAD_TERMINATED" });
  });

  it("is aborted after timeoutMs and terminated after terminateAfterMs, as any other", async () => {
    const clock = new FakeClock();
    const handler = threadsOf({ terminateAfterMs: 500, clock });
    const queue = new FifoQueue<Job>({ clock });
    const heard = gate<void>();
    const failed = gate<unknown>();
    const pool = new WorkerPool(
      queue,
      (item, task) =>
        handler(item, {
          signal: task.signal,
          step: (name) => {
            task.step(name);
            heard.give();
          },
        }),
      { timeoutMs: 1_000 },
    );
    pool.on("failed", ({ error }) => failed.give(error));
    await queue.put(["shout", Number.POSITIVE_INFINITY]);
    await heard.promise;
    clock.advance(1_000);
    clock.advance(500);
    expect(await failed.promise).toMatchObject({
      code: "QUEUE_THREAD_TERMINATED",
      reason: { code: "QUEUE_TASK_TIMEOUT" },
    });
    expect(await pool.drain()).toMatchObject({ timedOut: false });
    expect(pool.counts.failed).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("may give a step a long name, whose beginning arrives", async () => {
    const { told, task } = listener();
    await shared(["stepInLetters", 10_000], task);
    expect(told.steps).toEqual(["x".repeat(500)]);
  });
});

describe("the context of a task in a thread", () => {
  beforeEach(() => hand(new Tenant()));
  afterEach(() => {
    context.disable();
    propagation.disable();
  });

  it("is that of the caller: correlation ID, span, baggage, and whatever the propagators carry", async () => {
    const spanContext = {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      traceFlags: 1,
      traceState: createTraceState("vendor=1"),
    };
    const baggage = propagation.createBaggage({ user: { value: "ann" } });
    const active = propagation.setBaggage(trace.setSpanContext(ROOT_CONTEXT, spanContext), baggage);
    const call = () => shared(["context"]);
    const inContext = () => context.with(withTenant(active, "acme"), call);
    expect(await withCorrelationId("c-1", inContext)).toEqual({
      correlationId: "c-1",
      span: spanContext.spanId,
      state: "vendor=1",
      user: "ann",
      tenant: "acme",
    });
    expect(await call()).toEqual({});
  });

  it("costs the context and not the task, if a propagator throws", async () => {
    propagation.disable();
    hand({
      inject: () => {
        throw new Error("inject");
      },
      extract: (to) => to,
      fields: () => [],
    });
    expect(await shared(["context"], { correlationId: "c-2" })).toEqual({ correlationId: "c-2" });
  });
});

describe("an abort", () => {
  it("reaches a loop that never lets go of its thread, and rejects with the reason itself", async () => {
    const { controller, reached, task } = follower();
    const result = rejected(shared(["loop"], task));
    await reached;
    const reason = { closing: "time" };
    controller.abort(reason);
    expect(await result).toBe(reason);
  });

  it("is an event in the thread, with a copy of the reason", async () => {
    const { controller, reached, task } = follower();
    const result = shared(["listen"], task);
    await reached;
    controller.abort(Object.assign(new Error("too slow"), { name: "Timeout", code: "E_SLOW" }));
    expect(await result).toEqual({ name: "Timeout", code: "E_SLOW", aborted: true });
  });

  it("terminates a thread that doesn't react, after terminateAfterMs", async () => {
    const clock = new FakeClock();
    const handler = threadsOf({ threads: 2, terminateAfterMs: 500, clock });
    const other = hold(handler);
    const { controller, reached, task } = follower();
    const result = rejected(handler(["deaf"], task));
    await Promise.all([reached, other.reached]);
    const reason = new Error("too slow");
    controller.abort(reason);
    clock.advance(499);
    await macrotask();
    clock.advance(1);
    expect(await result).toMatchObject({
      name: "ThreadTerminatedError",
      code: "QUEUE_THREAD_TERMINATED",
      message: "the thread was terminated: its task was aborted (too slow), and went on for 500 ms",
      terminateAfterMs: 500,
      reason,
      cause: reason,
    });
    expect(await handler(["double", 1])).toBe(2);
    expect(await other.letGo()).toBe("let go");
    expect(clock.pending).toBe(0);
  });

  it("leaves no timer and no listener when the thread reacts", async () => {
    const clock = new FakeClock();
    const { controller, reached, task } = follower();
    const result = threadsOf({ clock })(["listen"], task);
    await reached;
    controller.abort();
    await result;
    await macrotask();
    expect(clock.pending).toBe(0);
    expect(listeners(controller.signal)).toBe(0);
  });

  it("of many tasks has one listener, whether they are in threads or in line, and none when they are over", async () => {
    const warned = vi.fn();
    process.on("warning", warned);
    onTestFinished(() => void process.off("warning", warned));
    const handler = threadsOf({ threads: 2 });
    const { controller, reached, task } = follower();
    const { signal } = controller;
    const listening = handler(["listen"], task);
    await reached;
    const done = Array.from({ length: 30 }, (_, i) => handler(["double", i], { signal }));
    await macrotask();
    expect(listeners(signal)).toBe(1);
    expect(await Promise.all(done)).toEqual(done.map((_, i) => 2 * i));
    expect(listeners(signal)).toBe(1);
    const aborted = Array.from({ length: 30 }, () => handler(["listen"], { signal }));
    controller.abort("over");
    await Promise.allSettled([listening, ...aborted]);
    await macrotask();
    expect(listeners(signal)).toBe(0);
    expect(warned).not.toHaveBeenCalled();
  });

  it("before a thread is free rejects with the reason, and the thread never hears of the task", async () => {
    const handler = shared;
    const first = hold(handler);
    const { controller, task } = follower();
    const result = rejected(handler(["exit", 1], task));
    await first.reached;
    controller.abort("changed my mind");
    expect(await result).toBe("changed my mind");
    expect(await first.letGo()).toBe("let go");
    expect(await rejected(handler(["double", 1], { signal: AbortSignal.abort("no") }))).toBe("no");
    expect(await handler(["double", 1])).toBe(2);
  });
});

describe("a thread that ends", () => {
  it.each<[string, Job, RegExp]>([
    ["by process.exit", ["exit", 3], /worker exited with code: 3/],
    ["by process.exit(0)", ["exit", 0], /worker exited with code: 0/],
    ["by an error that is thrown aside", ["throwAside"], /aside/],
  ])("%s is the failure of its task, and of no other", async (_, job, message) => {
    const handler = threadsOf({ threads: 2 });
    const other = hold(handler);
    await other.reached;
    const crashed = rejected(handler(job));
    const waiting = [1, 2, 3].map((n) => handler(["double", n]));
    const error = await crashed;
    expect(error).toMatchObject({ name: "ThreadCrashedError", code: "QUEUE_THREAD_CRASHED" });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).cause).toBeInstanceOf(Error);
    expect(await Promise.all(waiting)).toEqual([2, 4, 6]);
    expect(await other.letGo()).toBe("let go");
  });

  it("for lack of memory is the failure of its task, and of no other", async () => {
    const handler = threadsOf({
      resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 },
    });
    const crashed = rejected(handler(["eat"]));
    const after = handler(["double", 1]);
    expect(await crashed).toMatchObject({
      code: "QUEUE_THREAD_CRASHED",
      cause: { code: "ERR_WORKER_OUT_OF_MEMORY" },
    });
    expect(await after).toBe(2);
  });

  it("again and again leaves the others in peace", async () => {
    const handler = threadsOf({ threads: 2 });
    const jobs = Array.from({ length: 6 }, (_, i): Job => (i % 3 === 0 ? ["exit", i] : ["double", i]));
    const outcomes = await Promise.all(
      jobs.map((job) =>
        handler(job).then(
          (result) => result,
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(outcomes).toEqual(jobs.map((_, i) => (i % 3 === 0 ? "QUEUE_THREAD_CRASHED" : 2 * i)));
  });

  it("before it has begun with anything fails the tasks that waited for it, instead of letting them wait for ever", async () => {
    const handler = threadsOf({
      threads: 2,
      execArgv: ["--import", "data:text/javascript,throw new Error('not today')"],
    });
    const errors = await Promise.all([1, 2, 3].map((n) => rejected(handler(["double", n]))));
    for (const error of errors) {
      expect(error).toMatchObject({ code: "QUEUE_THREAD_CRASHED", cause: { message: "not today" } });
    }
  });

  it("by itself before it has begun, without a word, fails them too", async () => {
    const handler = threadsOf({ execArgv: ["--import", "data:text/javascript,process.exit(5)"] });
    expect(await rejected(handler(["double", 1]))).toMatchObject({ code: "QUEUE_THREAD_CRASHED" });
  });
});

describe("an error in a thread", () => {
  it("keeps its name, message, stack, code, facts and cause", async () => {
    const error = (await rejected(shared(["fail"]))) as Error;
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "OrderError",
      message: "no such order",
      code: "E_ORDER",
      order: { id: 7 },
    });
    expect(error.stack).toMatch(/^OrderError: no such order\n(.*\n)*.*jobs\.ts/);
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.cause).toMatchObject({ message: "7" });
    expect(Object.keys(error)).toEqual(["code", "order"]);
  });

  it("that is several stays several", async () => {
    const error = (await rejected(shared(["failTwice"]))) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors).toEqual([new TypeError("a"), "b"]);
  });

  it("loses only what can't be copied", async () => {
    const error = (await rejected(shared(["failOddly"]))) as Error;
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error).toMatchObject({ message: "odd", cause: "text" });
    expect(error).not.toHaveProperty("handle");
  });

  it("is a DataCloneError where item or result can't be copied; the thread goes on", async () => {
    const handler = shared;
    expect(await rejected(handler(["double", () => 1]))).toMatchObject({ name: "DataCloneError" });
    expect(await rejected(handler(["secret"]))).toMatchObject({ name: "DataCloneError" });
    expect(await handler(["double", 1])).toBe(2);
  });

  it("is that of the module, where that can't be loaded or exports no function", async () => {
    expect(await rejected(threadsOf({}, "broken.mjs")(["double"]))).toMatchObject({
      name: "RangeError",
      message: "it cannot even be loaded",
    });
    expect(await rejected(threadsOf({}, "no-function.mjs")(["double"]))).toMatchObject({
      code: "QUEUE_INVALID_OPTION_TYPE",
      message: expect.stringMatching(
        /no-function\.mjs must be a function \(item, task\), not "no function"$/,
      ),
    });
  });
});

describe("closing", () => {
  it("waits for what is under way and in line, and takes nothing more", async () => {
    const handler = threadsOf();
    const over: unknown[] = [];
    const first = hold(handler);
    const second = handler(["double", 1]).then((result) => over.push(result));
    await first.reached;
    const closed = handler.close().then(() => over.push("closed"));
    expect(await rejected(handler(["double", 2]))).toMatchObject({
      name: "ThreadsClosedError",
      code: "QUEUE_THREADS_CLOSED",
    });
    await macrotask();
    expect(over).toEqual([]);
    await first.letGo();
    await Promise.all([second, closed]);
    expect(over).toEqual([2, "closed"]);
    await handler.close();
    await handler[Symbol.asyncDispose]();
  });

  it("ends the threads when graceMs are over, and rejects what they were at", async () => {
    const clock = new FakeClock();
    const handler = threadsOf({ clock });
    const { reached, task } = follower();
    const running = rejected(handler(["deaf"], task));
    const waiting = rejected(handler(["double", 1]));
    await reached;
    const closed = handler.close({ graceMs: 100 });
    clock.advance(100);
    expect(await running).toMatchObject({ code: "QUEUE_THREADS_CLOSED" });
    expect(await waiting).toMatchObject({ code: "QUEUE_THREADS_CLOSED" });
    await closed;
    expect(clock.pending).toBe(0);
  });

  it("is safe before anything was done", async () => {
    await threadsOf().close();
  });
});

describe("a bad option fails at once", () => {
  const file = fileOf("commonjs.cjs");
  it.each<[string, () => unknown]>([
    ["file", () => inThreads(5 as never)],
    ["file", () => inThreads("./commonjs.cjs")],
    ["file", () => inThreads(fileOf("missing.js"))],
    ["file", () => inThreads(fileOf("."))],
    ["file", () => inThreads(new URL("https://example.com/jobs.js"))],
    ["options", () => inThreads(file, 5 as never)],
    ["threads", () => inThreads(file, { threads: 0 })],
    ["threads", () => inThreads(file, { threads: null as never })],
    ["terminateAfterMs", () => inThreads(file, { terminateAfterMs: 2 ** 31 })],
    ["idleMs", () => inThreads(file, { idleMs: Number.NaN })],
    ["resourceLimits", () => inThreads(file, { resourceLimits: 64 as never })],
    ["resourceLimits.stackSizeMb", () => inThreads(file, { resourceLimits: { stackSizeMb: -1 } })],
    ["execArgv", () => inThreads(file, { execArgv: "--import" as never })],
    ["clock", () => inThreads(file, { clock: {} as never })],
  ])("%s", (option, make) => {
    expect(make).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^QUEUE_INVALID_OPTION_/), option }),
    );
  });

  it("graceMs, of close", async () => {
    await expect(threadsOf().close({ graceMs: -1 })).rejects.toMatchObject({ option: "graceMs" });
  });

  it("and a path, as text or URL, is fine; x.js stands for x.ts", () => {
    expect(() => inThreads(file.href)).not.toThrow();
    expect(() => inThreads(fileURLToPath(file))).not.toThrow();
    expect(() => inThreads(fileOf("jobs.js"))).not.toThrow();
  });
});
