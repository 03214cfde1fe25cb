import fc from "fast-check";
import { expect, it } from "vitest";
import { asyncPlay } from "./async.js";
import { type Comparison, compare, RUNS } from "./differential.js";
import { fastqPlay } from "./fastq.js";
import * as mutations from "./mutations.js";
import { pQueuePlay } from "./p-queue.js";
import { bare, type Side } from "./sides.js";

const PLAYS = { "p-queue": pQueuePlay, fastq: fastqPlay, async: asyncPlay };
type Library = keyof typeof PLAYS;

async function against(library: Library, side: Side): Promise<void> {
  const play = PLAYS[library] as unknown as Comparison<unknown, unknown>;
  const other = { ways: fc.constant(undefined), enter: () => side };
  await compare(play, other, { ...RUNS, numRuns: 200, endOnFailure: true });
}

it.each(["p-queue", "fastq", "async"] as const)("bare queues of %s are the same", async (library) => {
  await expect(against(library, bare)).resolves.toBeUndefined();
});

const { given, forked, method, queue, result, worker } = mutations;
const nothing = () => {};

it.each<[string, Library, Partial<Side>]>([
  ["a promise that is late", "p-queue", result("add", async (promise) => await promise)],
  ["a swallowed rejection", "p-queue", forked((promise) => promise.catch(nothing))],
  ["a rejection too many", "p-queue", forked((promise) => promise.then(nothing))],
  ["an argument too many", "p-queue", given("add", mutations.withMore)],
  ["a `this` too many", "p-queue", given("add", mutations.onAnother)],
  ["a promise in another's place", "p-queue", given("add", mutations.asPromise)],
  ["an error in another's place", "p-queue", given("add", mutations.rethrowing)],
  ["a listener", "p-queue", queue((pQueue) => pQueue.on("next", nothing))],
  ["a field", "p-queue", queue((pQueue) => Object.assign(pQueue, { telemetry: {} }))],
  ["a timer", "p-queue", result("pause", () => void setTimeout(nothing, 5))],
  ["a `this` too few", "fastq", worker(mutations.withoutThis)],
  ["another arity", "fastq", { worker: (work) => ((...args) => work(...args)) as typeof work }],
  ["an envelope", "fastq", method("push", (push) => (item, done) => push({ item }, done))],
  ["a copy for the error handler", "fastq", given("error", mutations.withCopies)],
  ["a callback that is called later", "fastq", worker(mutations.callingBackLater)],
  ["a callback that gets less", "fastq", worker(mutations.callingBackWithLess)],
  ["a throw that is caught", "fastq", worker(mutations.swallowing)],
  ["a result where there was none", "fastq", result("push", () => true)],
  ["a number that is wrong", "fastq", result("length", (length: number) => Math.min(length, 2))],
  [
    "a worker that is no async function",
    "async",
    { worker: (work) => ((...a) => work(...a)) as typeof work },
  ],
  ["a copy for a test", "async", given("remove", mutations.withCopies)],
  [
    "one promise for many",
    "async",
    result("push", (made) => (Array.isArray(made) ? Promise.all(made) : made)),
  ],
  [
    "a pause after uninstrument",
    "async",
    { changeSides: (asyncQueue) => Object.assign(asyncQueue, { paused: true }) },
  ],
])("the harness notices %s (%s)", async (_, library, side) => {
  await expect(against(library, { ...bare, ...side })).rejects.toThrow("Property failed");
});
