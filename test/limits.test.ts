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

describe("a name of more than 255 characters", () => {
  it.each([
    ["a queue's", () => instrument(new FifoQueue(), { name: LONG })],
    ["a worker's", () => instrumentHandler(() => {}, { name: LONG })],
    ["a pool's", () => new WorkerPool(new FifoQueue(), () => {}, { name: LONG, autoStart: false })],
    ["a gate's", () => new Gate({ name: LONG, concurrency: 1 })],
    ["a tier's", () => new PriorityQueue({ tiers: { [LONG]: 0 } })],
    [
      "what a watchdog calls a queue",
      () =>
        new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY }).watch(
          instrument(new FifoQueue(), { name: "short" }),
          { name: LONG },
        ),
    ],
  ])("is refused: %s", (_, make) => {
    expect(make).toThrow(InvalidOptionRangeError);
    expect(make).toThrow("must be a string of at most 255 characters");
  });

  it("is the first that is", () => {
    expect(() => new Gate({ name: LONGEST, concurrency: 1 })).not.toThrow();
  });
});

describe("a correlation ID of more than 256 characters", () => {
  const id = "i".repeat(16_000);
  const kept = `${"i".repeat(255)}…`;

  it("is cut where it comes in by a put, whoever looks on", async () => {
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
