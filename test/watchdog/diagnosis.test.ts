import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { instrument } from "../../src/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { type Handler, WorkerPool } from "../../src/worker/pool.js";
import { FakeClock } from "../support/fake-clock.js";

let clock: FakeClock;
let dog: Watchdog;
let queues = 0;

beforeEach(() => {
  clock = new FakeClock();
  dog = new Watchdog({ everyMs: 100, stallThresholdMs: Number.POSITIVE_INFINITY, clock });
});
afterEach(() => dog.stop());

/** A queue under watch, with an SLA of a second. */
function watched(): FifoQueue<string> {
  const queue = instrument(new FifoQueue<string>({ clock }), {
    name: `diagnosed-${queues++}`,
    sla: { default: { targetMs: 1_000 } },
    traces: "never",
  });
  dog.watch(queue).start();
  return queue;
}

/** Whatever can go on without the clock has gone on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    clock.advance(50);
    await settle();
  }
}

const forEver: Handler<string> = () => new Promise(() => {});

describe("of two pools one of which is paused", () => {
  it("the other one's stuck workers are found, and count as all that there are", async () => {
    const queue = watched();
    new WorkerPool(queue, forEver, { name: "packers" });
    new WorkerPool(queue, forEver, { name: "helpers", concurrency: 3 }).pause();
    await queue.putMany(["a", "b"]);
    await pass(2_000);
    const [report] = dog.report();
    expect(report!.verdicts[0]!.name).toBe("consumers-stuck");
    expect(report!.verdicts[0]!.sentence).toMatch(/; "helpers" is paused$/);
    expect(report!.utilization).toBe(1);
  });
});

describe("a pool", () => {
  it("that is stopping, or has stopped, is not called paused", async () => {
    const queue = watched();
    const pool = new WorkerPool(queue, forEver, { name: "packers" });
    await queue.putMany(["a", "b"]);
    await settle();
    const stopped = pool.stop({ graceMs: 3_000 });
    await pass(2_000);
    expect(dog.report()[0]!.pools[0]).toMatchObject({ isTaking: false, hindrance: "is stopping" });
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).toEqual(["no-consumer", "consumers-stuck"]);
    await pass(2_000);
    await stopped;
    expect(dog.report()[0]!.pools[0]).toMatchObject({ hindrance: "is stopped" });
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).toEqual(["consumers-stuck", "no-consumer"]);
  });

  it("whose drain timed out on stuck tasks is said to be stuck", async () => {
    const queue = watched();
    const pool = new WorkerPool(queue, forEver, { name: "packers" });
    await queue.putMany(["a", "b"]);
    await settle();
    const drained = pool.drain({ timeoutMs: 500 });
    await pass(2_000);
    await drained;
    expect(dog.report()[0]!.verdicts[0]!.name).toBe("consumers-stuck");
  });

  it("that is paused before it has taken anything is paused, one that was never started is not", async () => {
    const queue = watched();
    const pool = new WorkerPool(queue, forEver, { name: "packers", autoStart: false });
    await queue.put("a");
    await pass(2_000);
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).toEqual(["no-consumer"]);
    pool.start();
    pool.pause();
    await pass(100);
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).toEqual(["consumers-paused"]);
    expect(dog.report()[0]!.utilization).toBe(0);
  });
});
