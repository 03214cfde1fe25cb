import { FifoQueue, instrument } from "queuescope";
import { allocated } from "../allocation.js";
import { HandwrittenQueue } from "../drivers/handwritten.js";
import {
  awaitEach,
  handleByHand,
  handleEach,
  ITEMS,
  tryInManyContexts,
  tryInOneContext,
} from "../drivers/put-get.js";
import { registerMetrics, registerTracing } from "../drivers/telemetry.js";
import { HandwrittenTasks } from "../drivers/wrapped/handwritten-tasks.js";
import { GOALS } from "../goals.js";
import { AGAIN, type Contestant, compare, type Drive, differences, duels, measure } from "../harness.js";
import { LIMIT } from "../report.js";
import type { Pace, Row, Scenario } from "../scenario.js";

type Item = { readonly id: number };

function bare(): FifoQueue<Item> {
  return new FifoQueue<Item>();
}

function untraced(name: string): FifoQueue<Item> {
  return instrument(new FifoQueue<Item>(), { name, traces: "never" });
}

function traced(name: string): FifoQueue<Item> {
  return instrument(new FifoQueue<Item>(), { name, traces: "always" });
}

/** What metrics and correlation add to a bare queue; both drive the same source. */
function againstBare(name: string, drive: (queue: FifoQueue<Item>) => Drive, limitNs: number): Scenario {
  return {
    name,
    async run(pace) {
      registerMetrics();
      const contestants: Contestant[] = [
        { name: "bare", make: () => drive(bare()) },
        { name: "instrumented", make: () => drive(untraced("bench")) },
      ];
      const samples = await measure({ items: ITEMS, contestants, twice: "bare" }, pace);
      const added = differences(samples.get("instrumented")!, samples.get("bare")!);
      return {
        rows: [
          ...duels(name, samples, "bare", [AGAIN, "instrumented"]),
          compare({ case: `${name}, added`, ours: added, peer: limitNs, peerName: LIMIT, goal: 1 }),
          await addedBytes(`${name}, allocation added`, drive, pace),
        ],
      };
    },
  };
}

async function addedBytes(name: string, drive: (queue: FifoQueue<Item>) => Drive, pace: Pace): Promise<Row> {
  const drives = [drive(bare()), drive(untraced("bench.allocation"))];
  const [base, more] = await allocated(drives, ITEMS, pace.fewestRounds);
  const ours = differences(more!, base!);
  const peer = GOALS.instrumented.allocatedBytes;
  return compare({ case: name, ours, peer, peerName: LIMIT, goal: 1, unit: "bytes" });
}

/** What ours adds to a bare queue, against what a hand-written wrapper with the same SDK adds to it. */
const againstHandwritten: Scenario = {
  name: "await put + get, overhead against a wrapper",
  async run(pace) {
    registerMetrics();
    registerTracing();
    const contestants: Contestant[] = [
      { name: "bare", make: () => awaitEach(bare()) },
      { name: "untraced", make: () => awaitEach(untraced("untraced")) },
      { name: "traced", make: () => awaitEach(traced("traced")) },
      { name: "handwritten", make: () => awaitEach(new HandwrittenQueue(new FifoQueue(), "handwritten")) },
    ];
    const samples = await measure({ items: ITEMS, contestants, twice: "bare" }, pace);
    const beyond = (more: string, base: string) => differences(samples.get(more)!, samples.get(base)!);
    const handwritten = { peer: beyond("handwritten", "bare"), peerName: "handwritten" };
    const { name } = this;
    return {
      rows: [
        ...duels(name, samples, "bare", [AGAIN]),
        compare({
          case: `${name}, no spans`,
          ours: beyond("untraced", "bare"),
          ...handwritten,
          goal: GOALS.instrumented.noSpansAgainstHandwritten,
        }),
        compare({
          case: `${name}, a put span`,
          ours: beyond("traced", "bare"),
          ...handwritten,
          goal: GOALS.instrumented.putSpanAgainstHandwritten,
        }),
      ],
    };
  },
};

/** A put and a process span with what is recorded beside them, by us and by hand; like with like. */
const spansAgainstHandwritten: Scenario = {
  name: "put and process spans against the same by hand",
  async run(pace) {
    registerMetrics();
    registerTracing();
    const contestants: Contestant[] = [
      { name: "bare", make: () => handleEach(bare()) },
      { name: "spans", make: () => handleEach(traced("spans")) },
      {
        name: "handwritten",
        make: () => handleByHand(new FifoQueue(), new HandwrittenTasks("handwritten", true)),
      },
    ];
    const samples = await measure({ items: ITEMS, contestants, twice: "bare" }, pace);
    const { name } = this;
    return {
      rows: [
        ...duels(name, samples, "bare", [AGAIN]),
        ...duels(name, samples, "spans", ["handwritten"], {
          handwritten: GOALS.instrumented.putAndProcessSpans,
        }),
      ],
    };
  },
};

/** What telemetry costs, per item that is put and got: on its own, and against what people write by hand. */
export const instrumented: readonly Scenario[] = [
  againstBare("tryPut + tryGet, one context", tryInOneContext, GOALS.instrumented.tryPutGetNs),
  againstBare("tryPut + tryGet, a context for each item", tryInManyContexts, GOALS.instrumented.tryPutGetNs),
  againstBare("await put + get", awaitEach, GOALS.instrumented.awaitPutGetNs),
  againstHandwritten,
  spansAgainstHandwritten,
];
