import PQueue from "p-queue";
import { describe, expect, it } from "vitest";
import { instrumentHandler } from "../src/adapters/handler.js";
import { instrument } from "../src/adapters/instrument.js";
import { InvalidOptionRangeError } from "../src/base/errors.js";
import { cut } from "../src/base/limits.js";
import { FifoQueue } from "../src/queue/fifo-queue.js";
import { PriorityQueue } from "../src/queue/priority-queue.js";
import { currentCorrelationId, withCorrelationId } from "../src/telemetry/context/correlation.js";
import { Watchdog } from "../src/watchdog/watchdog.js";
import { Gate } from "../src/worker/gate.js";
import { WorkerPool } from "../src/worker/pool.js";

const LONG = "n".repeat(256);
const LONGEST = "n".repeat(255);

/** Everything that has a name which becomes a label of metrics, or stands in reports. */
const NAMED: [string, (name: string) => () => unknown][] = [
  ["a queue's", (name) => () => instrument(new FifoQueue(), { name })],
  ["a worker's", (name) => () => instrumentHandler(() => {}, { name })],
  ["a pool's", (name) => () => new WorkerPool(new FifoQueue(), () => {}, { name, autoStart: false })],
  ["a gate's", (name) => () => new Gate({ name, concurrency: 1 })],
  ["a tier's", (name) => () => new PriorityQueue({ tiers: { [name]: 0 } })],
  [
    "a tier's of a queue that has numbers",
    (name) => () => instrument(new PQueue(), { name: "short", tiers: { [name]: 1 } }),
  ],
  [
    "a tier's of an adapter",
    (name) => () =>
      instrument({}, { name: "short", adapter: { system: "desk", tiersOf: () => [name], attach: never } }),
  ],
  [
    "what a watchdog calls a queue",
    (name) => () =>
      new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY }).watch(
        instrument(new FifoQueue(), { name: "short" }),
        { name },
      ),
  ],
];

function never(): never {
  throw new Error("attached");
}

describe("a name of more than 255 characters", () => {
  it.each(NAMED)("is refused: %s", (_, make) => {
    expect(make(LONG)).toThrow(InvalidOptionRangeError);
    expect(make(LONG)).toThrow("must be a string of at most 255 characters");
  });

  it("is the first that is", () => {
    expect(() => new Gate({ name: LONGEST, concurrency: 1 })).not.toThrow();
  });
});

describe("a name with half of a surrogate pair, which no byte of UTF-8 stands for", () => {
  it.each(NAMED)("is refused: %s", (_, make) => {
    for (const name of ["\ud800", "jobs \udc00", "\udc00\ud800"]) {
      expect(make(name)).toThrow(InvalidOptionRangeError);
      expect(make(name)).toThrow("must be a string of whole characters, without halves of surrogate pairs");
    }
  });

  it("is not one with whole pairs", () => {
    expect(() => new Gate({ name: "jobs 😀", concurrency: 1 })).not.toThrow();
  });
});

describe("a correlation ID of more than 256 characters", () => {
  const id = "i".repeat(16_000);
  const kept = `${"i".repeat(255)}…`;

  it("is cut where it comes in by a put, with and without telemetry", async () => {
    for (const queue of [new FifoQueue<number>(), instrument(new FifoQueue<number>(), { name: "cut" })]) {
      await queue.put(1, { correlationId: id });
      expect((await queue.receive()).correlationId).toBe(kept);
      await queue.put(2, { correlationId: [id, "other"] });
      expect((await queue.receive()).correlationId).toBe(kept);
    }
  });

  it("is cut where it comes in by a context", () => {
    expect(withCorrelationId(id, currentCorrelationId)).toBe(kept);
    expect(withCorrelationId("i".repeat(256), currentCorrelationId)).toBe("i".repeat(256));
  });
});

it("a step of more than 500 characters is cut", async () => {
  const queue = new FifoQueue<string>();
  const pool = new WorkerPool(queue, (step, task) => {
    task.step(step);
    expect(task.currentStep).toBe(`${"s".repeat(499)}…`);
  });
  await queue.put("s".repeat(1_000_000));
  await pool.drain();
  expect(pool.counts).toMatchObject({ done: 1, failed: 0 });
});

it("cuts no pair of surrogates in half", () => {
  expect(cut("ab😀", 4)).toBe("ab😀");
  expect(cut("ab😀c", 4)).toBe("ab…");
});
