import async from "async";
import fastq from "fastq";
import PQueue from "p-queue";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { MemoryBroker, type Message, memoryAdapter } from "../brokers/support/memory-broker.js";
import { MetricCapture } from "../support/telemetry-capture.js";

const metrics = new MetricCapture("producer");
afterAll(() => metrics.stop());

let name: string;
let queues = 0;
const closing: (() => void)[] = [];

beforeEach(() => {
  name = `errors-${queues++}`;
});

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** How many attempts have failed, by kind: those of which there are. */
async function kinds(): Promise<Record<string, unknown>> {
  return Object.fromEntries((await all()).filter(([, count]) => count !== 0));
}

async function all(): Promise<[unknown, unknown][]> {
  const points = (await metrics.collect()).points("queue.errors", { "queue.name": name });
  return points.map(({ attributes, value }) => [attributes["error.type"], value]);
}

function coded(code: unknown): Error {
  return Object.assign(new Error("no"), { code });
}

class PaymentError extends Error {}

/** Throws when it is looked at in any way. */
const HOSTILE = new Proxy(
  {},
  new Proxy(
    {},
    {
      get: () => () => {
        throw new Error("hands off");
      },
    },
  ),
);

/** Fails one delivery after another. */
async function fail(...errors: readonly unknown[]): Promise<void> {
  const queue = instrument(new FifoQueue<number>(), { name });
  for (const error of errors) {
    await queue.put(1);
    const delivery = await queue.receive();
    delivery.fail(error);
  }
}

describe("the kind of a failure", () => {
  it.each<[string, unknown, string]>([
    ["an error with a code", coded("ECONNREFUSED"), "ECONNREFUSED"],
    ["an error with a code of digits", coded("23505"), "23505"],
    ["an error with a code that is a number", coded(14), "Error"],
    ["an error with an empty code", coded(""), "Error"],
    ["an error whose code is longer than 64 characters", coded("x".repeat(65)), "Error"],
    ["an error whose code has 64 characters", coded("x".repeat(64)), "x".repeat(64)],
    ["an error of a built-in class", new RangeError("no"), "RangeError"],
    ["an error of a class that doesn't set its name", new PaymentError("no"), "PaymentError"],
    [
      "an error with a name of its own",
      Object.assign(new PaymentError("no"), { name: "Declined" }),
      "Declined",
    ],
    ["an error of an anonymous class", new (class extends Error {})("no"), "Error"],
    ["an abort", new DOMException("no", "AbortError"), "AbortError"],
    ["a plain object", { message: "no" }, "Object"],
    ["a plain object with a code", { code: "E_PLAIN" }, "E_PLAIN"],
    ["an object without a prototype", Object.create(null), "other"],
    ["a class that was thrown itself", TypeError, "TypeError"],
    ["a text", "E_TEXT", "other"],
    ["a number", 7, "other"],
    ["a symbol", Symbol("no"), "other"],
    ["null", null, "other"],
    ["nothing", undefined, "other"],
    ["what throws when it is looked at", HOSTILE, "other"],
    ["what is revoked", revoked(), "other"],
    ["halves of surrogate pairs", coded("\ud800"), "\ufffd"],
    [
      "a name as long as a book",
      Object.assign(new Error("no"), { name: "n".repeat(1e6) }),
      `${"n".repeat(254)}…`,
    ],
  ])("of %s", async (_, error, kind) => {
    await fail(error);
    expect(await kinds()).toEqual({ [kind]: 1 });
  });

  it("is one series where two codes are the same text for Prometheus", async () => {
    await fail(coded("\ud800"), coded("\ud801"));
    expect(await kinds()).toEqual({ "\ufffd": 2 });
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe("the kinds of a queue", () => {
  it("are 20, and then other, whatever comes", async () => {
    const codes = Array.from({ length: 1_000 }, (_, i) => coded(`E_${i}`));
    await fail(...codes, coded("E_0"), coded("E_19"), coded("E_20"));
    const counts = await kinds();
    expect(Object.keys(counts)).toEqual(["other", ...Array.from({ length: 20 }, (_, i) => `E_${i}`)]);
    expect(counts).toMatchObject({ E_0: 2, E_1: 1, E_19: 2, other: 981 });
  });

  it("are 20 beside an other that was there first", async () => {
    await fail("no", coded("other"), ...Array.from({ length: 21 }, (_, i) => coded(`E_${i}`)));
    expect(await kinds()).toMatchObject({ other: 3, E_0: 1, E_19: 1 });
    expect(Object.keys(await kinds())).toHaveLength(21);
  });

  it("are counted where the code changes each time it is read", async () => {
    let reads = 0;
    const changing = Object.defineProperty(new Error("no"), "code", { get: () => `E_${reads++}` });
    await fail(...new Array(100).fill(changing));
    const counts = await kinds();
    expect(Object.keys(counts)).toHaveLength(21);
    expect(Object.values(counts).reduce((sum: number, each) => sum + (each as number), 0)).toBe(100);
  });

  it("are other alone, at 0, before the first failure", async () => {
    const queue = instrument(new FifoQueue<number>(), { name });
    await queue.put(1);
    (await queue.receive()).done();
    expect(await all()).toEqual([["other", 0]]);
  });
});

describe("failed attempts are counted once each", () => {
  it("of our own queues: failures, retries and dead letters together", async () => {
    const queue = instrument(new FifoQueue<number>(), { name });
    await queue.putMany([1, 2, 3, 4]);
    (await queue.receive()).fail(coded("E_FAIL"));
    (await queue.receive()).deadLettered(coded("E_DEAD"));
    (await queue.receive()).retry();
    (await queue.receive()).done();
    (await queue.receive()).done();
    expect(await kinds()).toEqual({ E_FAIL: 1, E_DEAD: 1, other: 1 });
  });

  it("of a pool: each attempt", async () => {
    const queue = instrument(new FifoQueue<number>(), { name });
    const handler = () => {
      throw coded("E_POOL");
    };
    const retry = { attempts: 3, backoff: { initialMs: 0 } };
    const pool = new WorkerPool(queue, handler, { retry });
    await queue.put(1);
    await pool.drain();
    expect(await kinds()).toEqual({ E_POOL: 3 });
  });

  it("of p-queue: jobs, and those that are given up while they run", async () => {
    const queue = instrument(new PQueue(), { name });
    await queue.add(() => Promise.reject(coded("E_JOB"))).catch(() => {});
    const abort = new AbortController();
    const job = () => {
      abort.abort();
      return new Promise(() => {});
    };
    await queue.add(job, { signal: abort.signal }).catch(() => {});
    expect(await kinds()).toEqual({ E_JOB: 1, AbortError: 1 });
  });

  it.each(["promise", "callback"])("of fastq by %s", async (way) => {
    if (way === "promise") {
      const queue = instrument(
        fastq.promise(() => Promise.reject(coded("E_TASK")), 1),
        { name },
      );
      await queue.push(1).catch(() => {});
    } else {
      const queue = instrument(
        fastq((_: number, done: (error: Error | null) => void) => done(coded("E_TASK")), 1),
        { name },
      );
      await new Promise<void>((resolve) => queue.push(1, () => resolve()));
    }
    expect(await kinds()).toEqual({ E_TASK: 1 });
  });

  it("of async", async () => {
    const worker = instrumentHandler((_: number, done: (error?: Error) => void) => done(coded("E_TASK")), {
      name,
    });
    const queue = instrument(async.queue(worker, 1), { name });
    await queue.push(1).catch(() => {});
    expect(await kinds()).toEqual({ E_TASK: 1 });
  });

  it("of any object, by its wrapped worker", async () => {
    const items: number[] = [];
    const bag = { put: (item: number) => items.push(item), get: () => items.pop() };
    const queue = instrument(bag, { name, adapter: generic({ put: "put", get: "get" }) });
    const work = instrumentHandler(
      (_: number | undefined) => {
        throw coded("E_WORK");
      },
      { name },
    );
    queue.put(1);
    expect(() => work(queue.get())).toThrow("no");
    expect(await kinds()).toEqual({ E_WORK: 1 });
  });

  it.each([
    ["given back", true],
    ["given up", false],
  ])("of a broker, by what the handler threw before its message was %s", async (_, requeue) => {
    const client = new MemoryBroker().connect();
    closing.push(() => client.close());
    const options = { adapter: memoryAdapter(), queues: { [name]: { name } } };
    instrument(client, options);
    let caught: Message | undefined;
    client.consume(name, (message) => {
      if (caught !== undefined) return client.ack(message);
      caught = message;
      throw coded("E_MESSAGE");
    });
    try {
      client.publish(name, "a");
    } catch {
      // The broker in memory delivers within the call.
    }
    client.nack(caught!, requeue);
    expect(await kinds()).toEqual({ E_MESSAGE: 1 });
  });
});
