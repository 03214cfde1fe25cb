import { Mutex } from "async-mutex";
import { afterEach, beforeEach, expect, it } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { waitFor } from "../../src/waits/wait-for.js";
import { Waits } from "../../src/waits/waits.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { Gate } from "../../src/worker/gate.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { signal } from "../support/telemetry-capture.js";
import { inWords, task } from "./clients/rig.js";

let waits: Waits;

beforeEach(() => {
  waits = new Waits();
  waits.start();
});
afterEach(() => waits.stop());

it("a put in a handler waits for room in the queue, until there is some, or it is aborted", async () => {
  const emails = instrument(new FifoQueue<string>({ capacity: 1 }), { name: "emails" });
  await emails.put("first");
  const abort = new AbortController();
  const one = await task(() => emails.put("second"));
  const two = await task(() => emails.put("third", { signal: abort.signal }));
  expect(waits.of(one.task)).toMatchObject([
    { kind: "queue", label: "emails", use: { inUse: 1, waiting: 2, limit: 1 } },
  ]);
  abort.abort(new Error("enough"));
  await expect(two.result).rejects.toThrow("enough");
  await emails.get();
  await one.result;
  expect([...inWords(waits, one.task), ...inWords(waits, two.task)]).toEqual([]);
});

it("gate.run in a handler waits for the gate, which the tasks have that are through", async () => {
  const gate = new Gate({ name: "bank", concurrency: 1 });
  const open = signal();
  const one = await task(() => gate.run(() => open.promise), "order-1");
  const two = await task(() => gate.run(async () => "through"), "order-2");
  expect(waits.of(two.task)).toMatchObject([
    {
      kind: "gate",
      label: "bank",
      use: { inUse: 1, waiting: 1, limit: 1 },
      holders: [{ correlationId: "order-1" }],
    },
  ]);
  expect(waits.of(one.task)).toEqual([]);
  open.give();
  expect(await two.result).toBe("through");
  expect(waits.of(two.task)).toEqual([]);
});

it("a lock by waitFor has the task that got it last, as long as that runs", async () => {
  const mutex = new Mutex();
  const done = signal();
  const one = await task(async () => {
    const release = await waitFor("lock on order 7", mutex.acquire());
    await done.promise;
    release();
  }, "order-1");
  await expect.poll(() => mutex.isLocked() && inWords(waits, one.task)).toEqual([]);
  const two = await task(async () => (await waitFor("lock on order 7", mutex.acquire()))(), "order-2");
  expect(waits.of(two.task)).toMatchObject([
    { label: "lock on order 7", holders: [{ correlationId: "order-1" }] },
  ]);
  done.give();
  await one.result;
  await two.result;
  const three = await task(() => waitFor("lock on order 7", new Promise(() => {})), "order-3");
  expect(waits.of(three.task)[0]!.holders).toBeUndefined();
});

it("a timer is told only where nothing else is known, and no longer than it runs", async () => {
  const abort = new AbortController();
  const one = await task(
    () =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 60_000);
        abort.signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      }),
  );
  const two = await task(async () => {
    setTimeout(() => {}, 60_000).unref();
    await waitFor("reply", new Promise(() => setTimeout(() => {}, 60_000).unref()));
  });
  expect(waits.of(one.task)).toMatchObject([{ kind: "timer", label: "timer of 60.0 s" }]);
  expect(waits.of(one.task)[0]!.state).toMatch(/^due in (60\.0|59\.\d) s$/);
  expect(inWords(waits, two.task)).toEqual(["label: reply"]);
  abort.abort();
  await one.result;
  expect(waits.of(one.task)).toEqual([]);
});

it("the report says who waits for what, and who has it", async () => {
  const orders = instrument(new FifoQueue<string>(), { name: "orders-of-bank" });
  const gate = new Gate({ name: "bank", concurrency: 1 });
  const open = signal();
  const pool = new WorkerPool(orders, () => open.promise, { concurrency: 2, gate });
  const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY }).watch(orders).start();
  await orders.put("a", { correlationId: "order-1" });
  await orders.put("b", { correlationId: "order-2" });
  await expect.poll(() => gate.waiting).toBe(1);
  const text = String(dog.report()[0]).replaceAll(/for \d+ ms/g, "for … ms");
  expect(text).toContain(
    '1x waiting for gate "bank" (1 of 1 in use, 1 waiting), for … ms   order-2\n     held by: order-1 for … ms',
  );
  open.give();
  await pool.drain();
  await dog.stop();
});
