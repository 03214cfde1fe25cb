import { describe, expect, it } from "vitest";
import { checkKnown } from "../src/base/checks.js";
import {
  FifoQueue,
  generic,
  type InstrumentOptions,
  InvalidOptionTypeError,
  instrument,
  LifoQueue,
  PriorityQueue,
  type PriorityQueueOptions,
  type QueueOptions,
  Watchdog,
  type WatchdogOptions,
} from "../src/index.js";

const NAMES = { capacity: true, whenFull: true, timeoutMs: true } as const;

function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("an unknown option", () => {
  it.each([
    ["capcity", "capcity is not an option; did you mean capacity?"],
    ["whenfull", "whenfull is not an option; did you mean whenFull?"],
    ["timeout", "timeout is not an option; did you mean timeoutMs?"],
    ["size", "size is not an option; there are capacity, whenFull, timeoutMs"],
    ["__proto", "__proto is not an option; there are capacity, whenFull, timeoutMs"],
    ["toString", "toString is not an option; there are capacity, whenFull, timeoutMs"],
  ])("is an error: %s", (option, message) => {
    const error = errorOf(() => checkKnown({ capacity: 1, [option]: 2 }, NAMES));
    expect(error).toBeInstanceOf(InvalidOptionTypeError);
    expect(error).toMatchObject({ code: "QUEUE_INVALID_OPTION_TYPE", option, value: 2, message });
  });

  it("is named with what it stands in", () => {
    const message = "limits.capcity is not an option; did you mean limits.capacity?";
    expect(() => checkKnown({ capcity: 2 }, NAMES, "limits.")).toThrow(message);
  });

  it("may be undefined, or that of an object of a class, which has more to it", () => {
    class Limits {
      capacity = 1;
      source = "file";
    }
    for (const options of [undefined, { capacity: 1, tiers: undefined }, new Limits()]) {
      expect(errorOf(() => checkKnown(options, NAMES))).toBeUndefined();
    }
    expect(() => checkKnown(Object.assign(Object.create(null), { source: "file" }), NAMES)).toThrow("source");
  });
});

describe("unknown options are refused by", () => {
  const queue = () => new FifoQueue();
  const all: [string, (options: object) => unknown, object, string][] = [
    ["FifoQueue", (options) => new FifoQueue(options), { capcity: 2 }, "capacity"],
    ["LifoQueue", (options) => new LifoQueue(options), { whenfull: "reject" }, "whenFull"],
    ["PriorityQueue", (options) => new PriorityQueue(options), { agingMS: 2 }, "agingMs"],
    [
      "instrument",
      (options) => instrument(queue(), options as InstrumentOptions),
      { trace: "never" },
      "traces",
    ],
    [
      "an SLA",
      (options) => instrument(queue(), { name: "sla", sla: { default: options as never } }),
      { targetMs: 5, objectiv: 0.9 },
      "sla.default.objective",
    ],
    ["generic", (options) => generic(options as never), { put: "put", sise: "length" }, "size"],
    ["Watchdog", (options) => new Watchdog(options as WatchdogOptions), { everyMS: 100 }, "everyMs"],
  ];

  it.each(all)("%s", (_, make, options, meant) => {
    expect(() => make(options)).toThrow(`is not an option; did you mean ${meant}?`);
  });
});

describe("options without effect", () => {
  it.each<[string, PriorityQueueOptions<unknown>]>([
    ["tiers", { tiers: { vip: 0 } }],
    ["agingMs", { agingMs: 5 }],
    ["order", { order: "deadline" }],
  ])("in queues without priorities are errors: %s", (option, options) => {
    for (const Queue of [FifoQueue, LifoQueue]) {
      expect(() => new Queue(options)).toThrow(`${option} must be left out: only a PriorityQueue takes it`);
      expect(() => new Queue({ [option]: undefined })).not.toThrow();
    }
  });

  it("are errors: evictWhen where no option says what happens to a full queue", () => {
    const evictWhen = () => true;
    const queues: readonly (new (options: QueueOptions<unknown>) => object)[] = [
      FifoQueue,
      LifoQueue,
      PriorityQueue,
    ];
    for (const Queue of queues) {
      const error = errorOf(() => new Queue({ capacity: 2, evictWhen }));
      expect(error).toMatchObject({ option: "evictWhen", value: evictWhen });
      for (const whenFull of ["wait", "reject", "evict"] as const) {
        expect(() => new Queue({ capacity: 2, evictWhen, whenFull })).not.toThrow();
      }
    }
  });
});
