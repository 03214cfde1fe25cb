import fc from "fast-check";
import PQueue from "p-queue";
import { maybe, type Operation, operation } from "./operation.js";
import { returningPlan } from "./plans.js";

/**
 * What has a `then` of its own is awaited once, in the task's context, and its promise is what p-queue gets: it hears of the end a
 * microtask later. With the timers of version 10 that can be seen, so there is none here.
 */
const jobPlan =
  "emit" in PQueue.prototype
    ? returningPlan
    : returningPlan.filter(({ how }) => how !== "thenable" && how !== "own promise");

export const EVENTS = [
  "add",
  "next",
  "active",
  "completed",
  "error",
  "idle",
  "empty",
  "pendingZero",
  "rateLimit",
  "rateLimitCleared",
] as const;
const WAITS = [
  "onIdle",
  "onEmpty",
  "onPendingZero",
  "onError",
  "onRateLimit",
  "onRateLimitCleared",
  "onSizeLessThan",
] as const;

const id = fc.constantFrom("a", "b", "c");
const priority = fc.constantFrom(0, 1, 2, -1, 0.5);
const follows = fc.boolean();

/** Only what is there: an option that is undefined is not the same to p-queue as one that is absent. */
const addOptions = fc.option(
  fc.record(
    {
      priority: fc.oneof({ weight: 6, arbitrary: priority }, fc.constantFrom(undefined, Number.NaN, "1")),
      id: fc.oneof({ weight: 4, arbitrary: id }, fc.constantFrom(undefined, null, "", 7)),
      signal: fc.oneof({ weight: 6, arbitrary: fc.nat(1) }, fc.constantFrom(undefined, null)),
      timeout: fc.oneof(
        { weight: 16, arbitrary: fc.integer({ min: 1, max: 9 }) },
        fc.constantFrom(undefined, 0, -1, Number.POSITIVE_INFINITY, "5"),
      ),
      extra: fc.constant("of the user's"),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined, freq: 3 },
);

export const op = fc.oneof(
  {
    weight: 20,
    arbitrary: operation("add", { plan: jobPlan, options: addOptions, shared: fc.boolean(), follows }),
  },
  {
    weight: 3,
    arbitrary: operation("addAll", {
      plans: fc.array(jobPlan, { maxLength: 4 }),
      options: addOptions,
      follows,
    }),
  },
  {
    weight: 1,
    arbitrary: operation("add what is no function", {
      value: fc.constantFrom(undefined, null, 5, "job", {}, []),
      options: addOptions,
      follows,
    }),
  },
  {
    weight: 3,
    arbitrary: operation("setPriority", {
      id: fc.oneof({ weight: 5, arbitrary: id }, fc.constantFrom("unknown", "1", "2")),
      priority: fc.oneof({ weight: 6, arbitrary: priority }, fc.constantFrom(Number.NaN, "1", undefined)),
    }),
  },
  { weight: 2, arbitrary: operation("pause", {}) },
  { weight: 4, arbitrary: operation("start", {}) },
  { weight: 1, arbitrary: operation("clear", {}) },
  {
    weight: 2,
    arbitrary: operation("set", {
      values: fc.oneof(
        fc.record({ concurrency: fc.constantFrom(1, 1, 2, 3, Number.POSITIVE_INFINITY) }),
        fc.record({ concurrency: fc.constantFrom(0, -1, Number.NaN, "2", 1.5) }),
        fc.record({ timeout: fc.constantFrom(undefined, undefined, 3, 6, 0) }),
      ),
    }),
  },
  { weight: 4, arbitrary: operation("wait", { which: fc.constantFrom(...WAITS), limit: fc.nat(2) }) },
  {
    weight: 3,
    arbitrary: operation("listen", { event: fc.constantFrom(...EVENTS), once: fc.boolean() }),
  },
  { weight: 1, arbitrary: operation("stop listening", { event: fc.constantFrom(...EVENTS) }) },
  { weight: 1, arbitrary: operation("emit", { event: fc.constantFrom(...EVENTS) }) },
  { weight: 3, arbitrary: operation("abort", { signal: fc.nat(1), renews: fc.boolean() }) },
);
export type Op = Operation<typeof op>;

export const config = fc.record({
  options: fc.record(
    {
      concurrency: fc.constantFrom(1, 1, 2, 3, Number.POSITIVE_INFINITY),
      autoStart: fc.boolean(),
      timeout: fc.constantFrom(4, 8),
      carryoverIntervalCount: fc.boolean(),
    },
    { requiredKeys: ["concurrency"] },
  ),
  rate: maybe(
    fc.record({
      intervalCap: fc.integer({ min: 1, max: 3 }),
      interval: fc.integer({ min: 2, max: 9 }),
      strict: fc.boolean(),
    }),
  ),
  ownClass: fc.boolean(),
});
export type Config = Operation<typeof config>;
