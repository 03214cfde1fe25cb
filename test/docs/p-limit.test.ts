import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import pLimit from "p-limit";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { currentCorrelationId, generic, instrument, withCorrelationId } from "../../src/index.js";
import { MetricCapture } from "../support/telemetry-capture.js";
import { limiterOf } from "./p-limit.js";

let metrics: MetricCapture;
let name: string;
let count = 0;

beforeAll(() => {
  metrics = new MetricCapture("producer");
});
afterAll(() => metrics.stop());
beforeEach(() => {
  name = `limit-${count++}`;
});

async function read(metric: string, attributes: Record<string, string> = {}): Promise<number | undefined> {
  return (await metrics.collect()).number(metric, { "queue.name": name, ...attributes });
}

it("the page shows what is tried here", () => {
  const page = readFileSync(new URL("../../docs/writing-an-adapter.md", import.meta.url), "utf8");
  const code = readFileSync(new URL("./p-limit.ts", import.meta.url), "utf8");
  expect(page).toContain(`\`\`\`ts\n${code.replaceAll('"../../src/index.js"', '"queuescope"')}\`\`\``);
});

it("a limiter has depth, times and outcomes, and its jobs the context of their callers", async () => {
  const store = new AsyncLocalStorage<number>();
  const limiter = limiterOf(name, 1);
  const seen: unknown[] = [];
  const release: (() => void)[] = [];
  const calls = [1, 2, 3].map((i) =>
    store.run(i, () =>
      withCorrelationId(`request-${i}`, () =>
        limiter.run(async () => {
          await new Promise<void>((resolve) => release.push(resolve));
          seen.push([store.getStore(), currentCorrelationId()]);
          if (i === 2) throw new Error("no");
          return i;
        }),
      ),
    ),
  );
  const outcomes = Promise.allSettled(calls);
  await turn();
  expect(await read("queue.depth")).toBe(2);
  expect(await read("queue.inflight")).toBe(1);
  for (let i = 0; i < 3; i++) {
    release[i]!();
    await turn();
  }
  expect(await outcomes).toMatchObject([{ value: 1 }, { reason: { message: "no" } }, { value: 3 }]);
  expect(seen).toEqual([1, 2, 3].map((i) => [i, `request-${i}`]));
  expect(await read("queue.enqueued")).toBe(3);
  expect(await read("queue.dequeued")).toBe(3);
  expect(await read("queue.completed", { "queue.outcome": "success" })).toBe(2);
  expect(await read("queue.completed", { "queue.outcome": "failure" })).toBe(1);
  expect(await read("queue.context.lost")).toBe(0);
});

it("a job that throws at once, or returns no promise, is taken as the limit takes it", async () => {
  const limiter = limiterOf(name, 1);
  const fail = () => {
    throw new Error("at once");
  };
  await expect(limiter.run(fail)).rejects.toThrow("at once");
  expect(await limiter.run(() => "plain")).toBe("plain");
  expect(await read("queue.completed", { "queue.outcome": "success" })).toBe(1);
  expect(await read("queue.inflight")).toBe(0);
});

it("what is cleared no longer waits", async () => {
  const limiter = limiterOf(name, 1);
  let release = () => {};
  const first = limiter.run(() => new Promise<void>((resolve) => (release = resolve)));
  for (let i = 0; i < 5; i++) void limiter.run(async () => {});
  await turn();
  limiter.clear();
  expect(await read("queue.depth")).toBe(0);
  release();
  await first;
  expect(await read("queue.oldest.age.seconds")).toBe(0);
});

it("the limit itself can't be instrumented, and the error says what can", () => {
  const limit = pLimit(1);
  expect(() => instrument(limit, { name })).toThrow(
    "cannot instrument: a function's own call can't be replaced; wrap an object with a method that calls it",
  );
  const adapter = generic({ put: "map" });
  expect(() => instrument(limit, { name, adapter })).toThrow("nothing tells when items are taken");
});
