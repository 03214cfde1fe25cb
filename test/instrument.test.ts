import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import async from "async";
import fastq from "fastq";
import pLimit from "p-limit";
import PQueue from "p-queue";
import { afterAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  AlreadyInstrumentedError,
  FifoQueue,
  generic,
  type InstrumentOptions,
  InvalidOptionRangeError,
  InvalidOptionTypeError,
  instrument,
  LifoQueue,
  NotInstrumentableError,
  PriorityQueue,
  uninstrument,
} from "../src/index.js";
import { allSeries } from "../src/telemetry/metrics/series.js";
import { SpanCapture } from "./support/telemetry-capture.js";

function tiered() {
  return new PriorityQueue<string>({ tiers: { vip: 0, regular: 10 } });
}

describe("instrument", () => {
  it.each([new FifoQueue<string>(), new LifoQueue<string>(), tiered()])(
    "returns the very queue that it was given, %o",
    async (queue) => {
      expect(instrument(queue, { name: "same" })).toBe(queue);
      await queue.put("a");
      expect(await queue.get()).toBe("a");
    },
  );

  it("returns its type", () => {
    const queue = instrument(tiered(), { name: "typed" });
    expectTypeOf(queue).toEqualTypeOf<PriorityQueue<string>>();
    class Mine {
      enqueue(_: number) {}
      dequeue() {}
    }
    const mine = instrument(new Mine(), {
      name: "typed",
      adapter: generic({ put: "enqueue", get: "dequeue" }),
    });
    expectTypeOf(mine).toEqualTypeOf<Mine>();
  });

  it("instruments what calls itself by the hook of another copy of this library", () => {
    const foreign = {
      [Symbol.for("queuescope.observe")]: () => {},
      [Symbol.for("queuescope.probe")]: { tiers: [] },
    };
    expect(instrument(foreign, { name: "foreign" })).toBe(foreign);
  });

  it("takes a queue a second time only after uninstrument", () => {
    const queue = instrument(new FifoQueue<string>(), { name: "first" });
    expect(() => instrument(queue, { name: "second" })).toThrow(AlreadyInstrumentedError);
    instrument(uninstrument(queue), { name: "second" });
    expect(() => instrument(queue, { name: "third" })).toThrow('it is instrumented as "second"');
  });

  it("says first what is wrong with the options, also of a queue that is instrumented", () => {
    const queue = instrument(new FifoQueue<string>(), { name: "first" });
    expect(() => instrument(queue, { name: "" })).toThrow(InvalidOptionRangeError);
  });

  it.each([
    ["null", null],
    ["undefined", undefined],
    ["a number", 7],
    ["a string", "queue"],
  ])("refuses %s", (_, queue) => {
    expect(() => instrument(queue as never, { name: "none" })).toThrow(InvalidOptionTypeError);
  });

  it.each<[string, object]>([
    ["an empty object", {}],
    ["a function", () => {}],
    ["an array", []],
    ["a map", new Map()],
    ["an event emitter", new EventEmitter()],
    ["a stream", new PassThrough()],
    ["a limiter without a queue to be seen", pLimit(1)],
    ["half a p-queue", { add() {}, addAll() {}, clear() {}, size: 0, pending: 0 }],
    ["half a fastq", { push() {}, unshift() {}, running() {}, length() {} }],
    ["half a queue of async's", { push() {}, workersList() {}, length() {}, running() {}, _tasks: {} }],
    ["an object whose members are no methods", { add: 1, addAll: 2, clear: 3, setPriority: 4, onIdle: 5 }],
  ])("does not take for a queue what is none: %s", (_, object) => {
    const before = Reflect.ownKeys(object);
    expect(() => instrument(object, { name: "no queue" })).toThrow(NotInstrumentableError);
    expect(Reflect.ownKeys(object)).toEqual(before);
    expect(allSeries.has("no queue")).toBe(false);
  });

  it("gives back what it does not know when it is to uninstrument that", () => {
    const object = Object.freeze({});
    expect(uninstrument(object)).toBe(object);
  });

  it("refuses an object that no adapter knows, saying what to do", () => {
    const refused = () => instrument({ push() {}, shift() {} }, { name: "unknown" });
    expect(refused).toThrow(NotInstrumentableError);
    expect(refused).toThrow(/generic\(\{ put, get, size \}\)/);
  });

  it("leaves no series behind when it can't attach", () => {
    const adapter = generic({ put: "enqueue", get: "dequeue" });
    expect(() => instrument({}, { name: "never attached", adapter })).toThrow(NotInstrumentableError);
    expect(allSeries.has("never attached")).toBe(false);
  });
});

const TIER_WORDS = 'keyed by a tier of the queue: "vip", "regular", "default"';
const DURATION = "milliseconds, greater than 0";
const SHARE = "a number between 0 and 1";
const TRACES = '"always" or "with-parent" or "never"';
const RELATION = '"link" or "parent" or "auto"';

/** Option, what is wrong, the class of the error, and the whole message. */
const BAD: [string, unknown, typeof InvalidOptionTypeError | typeof InvalidOptionRangeError, string][] = [
  [
    "options",
    undefined,
    InvalidOptionTypeError,
    "options must be an object with at least a name, not undefined",
  ],
  ["options", null, InvalidOptionTypeError, "options must be an object with at least a name, not null"],
  [
    "options",
    "orders",
    InvalidOptionTypeError,
    'options must be an object with at least a name, not "orders"',
  ],
  ["name", {}, InvalidOptionTypeError, "name must be a string, not undefined"],
  ["name", { name: 7 }, InvalidOptionTypeError, "name must be a string, not 7"],
  ["name", { name: null }, InvalidOptionTypeError, "name must be a string, not null"],
  [
    "name",
    { name: "" },
    InvalidOptionRangeError,
    'name must be a string with at least one character, not ""',
  ],
  [
    "traces",
    { name: "n", traces: "sometimes" },
    InvalidOptionRangeError,
    `traces must be ${TRACES}, not "sometimes"`,
  ],
  ["traces", { name: "n", traces: true }, InvalidOptionTypeError, `traces must be ${TRACES}, not true`],
  ["traces", { name: "n", traces: null }, InvalidOptionTypeError, `traces must be ${TRACES}, not null`],
  [
    "relation",
    { name: "n", relation: "child" },
    InvalidOptionRangeError,
    `relation must be ${RELATION}, not "child"`,
  ],
  ["relation", { name: "n", relation: 1 }, InvalidOptionTypeError, `relation must be ${RELATION}, not 1`],
  [
    "metrics",
    { name: "n", metrics: "off" },
    InvalidOptionRangeError,
    'metrics must be "always" or "never", not "off"',
  ],
  [
    "metrics",
    { name: "n", metrics: false },
    InvalidOptionTypeError,
    'metrics must be "always" or "never", not false',
  ],
  [
    "sla",
    { name: "n", sla: 500 },
    InvalidOptionTypeError,
    "sla must be an object of tier names and { targetMs, objective }, not 500",
  ],
  [
    "sla",
    { name: "n", sla: [] },
    InvalidOptionTypeError,
    "sla must be an object of tier names and { targetMs, objective }, not an array of 0",
  ],
  [
    "sla",
    { name: "n", sla: null },
    InvalidOptionTypeError,
    "sla must be an object of tier names and { targetMs, objective }, not null",
  ],
  [
    "sla",
    { name: "n", sla: { vipp: { targetMs: 1 } } },
    InvalidOptionRangeError,
    `sla must be ${TIER_WORDS}, not "vipp"`,
  ],
  [
    "sla.vip",
    { name: "n", sla: { vip: 500 } },
    InvalidOptionTypeError,
    "sla.vip must be an object { targetMs, objective }, not 500",
  ],
  [
    "sla.vip.targetMs",
    { name: "n", sla: { vip: {} } },
    InvalidOptionTypeError,
    `sla.vip.targetMs must be ${DURATION}, not undefined`,
  ],
  ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((targetMs): (typeof BAD)[number] => [
    "sla.vip.targetMs",
    { name: "n", sla: { vip: { targetMs } } },
    InvalidOptionRangeError,
    `sla.vip.targetMs must be ${DURATION}, not ${targetMs}`,
  ]),
  [
    "sla.default.targetMs",
    { name: "n", sla: { default: { targetMs: "500" } } },
    InvalidOptionTypeError,
    `sla.default.targetMs must be ${DURATION}, not "500"`,
  ],
  ...[0, 1, 99.9, -0.5, Number.NaN].map((objective): (typeof BAD)[number] => [
    "sla.vip.objective",
    { name: "n", sla: { vip: { targetMs: 1, objective } } },
    InvalidOptionRangeError,
    `sla.vip.objective must be ${SHARE}, not ${objective}`,
  ]),
  [
    "sla.vip.objective",
    { name: "n", sla: { vip: { targetMs: 1, objective: null } } },
    InvalidOptionTypeError,
    `sla.vip.objective must be ${SHARE}, not null`,
  ],
  [
    "adapter",
    { name: "n", adapter: null },
    InvalidOptionTypeError,
    "adapter must be an adapter, such as generic({ put, get }), not null",
  ],
  [
    "adapter",
    { name: "n", adapter: { attach: true } },
    InvalidOptionTypeError,
    "adapter must be an adapter, such as generic({ put, get }), not an object",
  ],
];

describe("a bad option is refused at once, and nothing is instrumented:", () => {
  it.each(BAD)("%s in %o", (option, options, kind, message) => {
    const queue = tiered();
    let error: unknown;
    try {
      instrument(queue, options as InstrumentOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ option, message });
    expect(allSeries.has("n")).toBe(false);
    expect(() => instrument(queue, { name: "good" })).not.toThrow();
  });

  it.each([
    { put: undefined, get: "take" },
    { put: "push", get: "" },
    { put: "push", get: Symbol("take") },
    { put: "push", get: "take", size: 0 },
    { put: "push", get: "take", peek: null },
    null,
  ])("generic(%o)", (names) => {
    expect(() => generic(names as never)).toThrow(InvalidOptionTypeError);
  });
});

it("undefined stands for the default everywhere", () => {
  const options = { name: "n", sla: undefined, traces: undefined, relation: undefined, metrics: undefined };
  expect(() => instrument(tiered(), { ...options, adapter: undefined })).not.toThrow();
});

describe("a queue of another library is recognised by how it is built:", () => {
  const spans = new SpanCapture();
  afterAll(() => spans.stop());

  it.each<[string, string, (name: string) => unknown]>([
    ["p-queue", "p-queue", (name) => instrument(new PQueue(), { name }).add(() => {})],
    [
      "fastq",
      "fastq",
      (name) =>
        instrument(
          fastq((_: number, done) => done(null), 1),
          { name },
        ).push(1),
    ],
    [
      "fastq.promise",
      "fastq",
      (name) =>
        instrument(
          fastq.promise(async () => {}, 1),
          { name },
        ).push(1),
    ],
    [
      "async.queue",
      "async",
      (name) =>
        instrument(
          async.queue(async () => {}, 1),
          { name },
        ).push(1),
    ],
    [
      "async.priorityQueue",
      "async",
      (name) =>
        instrument(
          async.priorityQueue<number>((_, done) => done(), 1),
          { name },
        ).push(1, 2),
    ],
    [
      "async.cargo",
      "async",
      (name) =>
        instrument(
          async.cargo((_, done) => done(), 1),
          { name },
        ).push(1),
    ],
    ["a queue of ours", "in_process", (name) => instrument(new FifoQueue<number>(), { name }).put(1)],
    [
      "a class that extends p-queue's",
      "p-queue",
      (name) => instrument(new (class extends PQueue {})(), { name }).add(() => {}),
    ],
    [
      "a p-queue, but for the adapter that is given",
      "in_process",
      (name) => {
        const adapter = generic({ put: "add", get: "clear" });
        return instrument(new PQueue(), { name, adapter }).add(() => {});
      },
    ],
  ])("%s is %s", async (library, system, put) => {
    await put(`recognised ${library}`);
    const send = await spans.only(`send recognised ${library}`);
    expect(send.attributes["messaging.system.name"]).toBe(system);
  });

  it("and keeps its type", () => {
    const queue = instrument(
      fastq<unknown, number, string>((item, done) => done(null, `${item}`), 1),
      { name: "typed fastq" },
    );
    expectTypeOf(queue).toEqualTypeOf<fastq.queue<number, string>>();
    const cargo = instrument(
      async.cargo<number>(() => {}, 1),
      { name: "typed cargo" },
    );
    expectTypeOf(cargo).toEqualTypeOf<async.QueueObject<number>>();
  });
});
