import { setImmediate } from "node:timers/promises";
import { FifoQueue, instrument, PriorityQueue, Watchdog } from "queuescope";
import { FakeClock } from "queuescope/testing";
import {
  fewPriorities,
  fifos,
  heaps,
  instrumented,
  itemsOnly,
  lifos,
  type Vessels,
  widePriorities,
} from "../drivers/vessels.js";
import { GOALS } from "../goals.js";
import { compare, differences } from "../harness.js";
import { LIMIT } from "../report.js";
import type { Findings, Row, Scenario } from "../scenario.js";
import { held, type Vessel, weigh } from "../weigh.js";

const COUNTS = { "10k": 10_000, "1M": 1_000_000 } as const;
/** Small queues are weighed by the dozen: what the process does on the side would outweigh one. */
const VESSELS = { "10k": 12, "1M": 1 } as const;
/** The first round doesn't count: it also weighs what is compiled and cached on the way. */
const ROUNDS = 2;

type Size = keyof typeof COUNTS;

interface Weights {
  readonly full: number[];
  readonly empty: number[];
}

async function weights(make: () => Vessel, size: Size): Promise<Weights> {
  const found: Weights = { full: [], empty: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const vessels = Array.from({ length: VESSELS[size] }, make);
    const { full, empty } = await weigh(vessels, COUNTS[size]);
    if (round === 0) continue;
    found.full.push(full);
    found.empty.push(empty);
  }
  return found;
}

/** What each vessel needs for an item beyond the item; the first vessel is ours. */
async function overheads(name: string, vessels: Vessels, size: Size): Promise<Findings> {
  const items = await weights(() => itemsOnly(COUNTS[size]), size);
  const [[ourName, makeOurs], ...peers] = Object.entries(vessels) as [
    [string, () => Vessel],
    ...[string, () => Vessel][],
  ];
  const own = await weights(makeOurs, size);
  const ours = differences(own.full, items.full);
  const rows: Row[] = [];
  for (const [peerName, make] of peers) {
    const peer = differences((await weights(make, size)).full, items.full);
    rows.push(compare({ case: `${name}, queued`, ours, peer, peerName, unit: "bytes" }));
  }
  rows.push(left(`${name}, drained ${ourName}`, own, size));
  return { rows };
}

/** A small queue keeps a buffer for the next items; a large one has to give its memory back. */
function left(name: string, { empty }: Weights, size: Size): Row {
  const goal = size === "1M" ? 1 : undefined;
  return compare({
    case: name,
    ours: empty,
    peer: GOALS.memory.drainedBytes,
    peerName: LIMIT,
    goal,
    unit: "bytes",
  });
}

function scenario(kind: string, size: Size, vessels: () => Vessels): Scenario {
  const name = `${kind}, ${size}`;
  return {
    name,
    isSlow: size === "1M",
    run: ({ quick }) => overheads(name, quick ? first(vessels(), 2) : vessels(), size),
  };
}

/** A quick run weighs ours and one peer: the others are weighed alike. */
function first(vessels: Vessels, count: number): Vessels {
  return Object.fromEntries(Object.entries(vessels).slice(0, count));
}

function instrumentedScenario(size: Size): Scenario {
  const name = `instrumented FIFO, ${size}`;
  return {
    name,
    isSlow: size === "1M",
    async run() {
      const bare = await weights(instrumented.bare!, size);
      const own = await weights(instrumented.instrumented!, size);
      const ours = differences(own.full, bare.full);
      return {
        rows: [
          compare({
            case: `${name}, added`,
            ours,
            peer: GOALS.memory.instrumentedBytes,
            peerName: LIMIT,
            goal: 1,
            unit: "bytes",
          }),
          left(`${name}, drained`, own, size),
        ],
      };
    },
  };
}

const QUEUES = 500;
const TIERS = { a: 0, b: 1, c: 2, d: 3, e: 4 } as const;
const LOOK_EVERY_MS = 1_000;
/** More than a watchdog remembers. */
const LOOKS = 70;

/** What a queue takes that is instrumented, and watched for a minute, beyond the bare one. */
function queueScenario(tiers: 1 | 5): Scenario {
  const name = `queue of ${tiers === 1 ? "1 tier" : "5 tiers"}`;
  return {
    name,
    isSlow: tiers === 5,
    async run() {
      const found = { instrumented: [] as number[], watched: [] as number[] };
      // The first round doesn't count, as above.
      for (let round = 0; round < ROUNDS; round++) {
        const { instrumented, watched } = await weighQueues(`bench.memory.${tiers}.${round}`, tiers);
        if (round === 0) continue;
        found.instrumented.push(instrumented);
        found.watched.push(watched);
      }
      const { instrumentedQueueBytes, watchedQueueBytes } = GOALS.memory;
      const limit = { peerName: LIMIT, goal: 1, unit: "bytes" } as const;
      return {
        rows: [
          compare({
            case: `${name}, instrumented`,
            ours: found.instrumented,
            peer: instrumentedQueueBytes,
            ...limit,
          }),
          compare({
            case: `${name}, instrumented and watched`,
            ours: found.watched,
            peer: watchedQueueBytes,
            ...limit,
          }),
        ],
      };
    },
  };
}

async function weighQueues(name: string, tiers: 1 | 5): Promise<{ instrumented: number; watched: number }> {
  const clock = new FakeClock();
  const queues = Array.from({ length: QUEUES }, () =>
    tiers === 1 ? new FifoQueue<object>({ clock }) : new PriorityQueue<object>({ clock, tiers: TIERS }),
  );
  const bare = await held();
  const sla = { default: { targetMs: 3_600_000 } };
  for (const [i, queue] of queues.entries()) instrument<object>(queue, { name: `${name}.${i}`, sla });
  const instrumented = await held();
  const watchdog = new Watchdog({
    clock,
    everyMs: LOOK_EVERY_MS,
    stallThresholdMs: Number.POSITIVE_INFINITY,
  });
  for (const queue of queues) watchdog.watch<object>(queue);
  watchdog.start();
  for (let look = 0; look < LOOKS; look++) {
    clock.advance(LOOK_EVERY_MS);
    // A look at many queues leaves turns to others.
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  }
  const watched = await held();
  await watchdog.stop();
  return { instrumented: (instrumented - bare) / QUEUES, watched: (watched - bare) / QUEUES };
}

/** Bytes per queued item, beyond the item itself, and what is left of them when the queue is empty again; and bytes per queue. */
export const memory: readonly Scenario[] = (["10k", "1M"] as const)
  .flatMap((size) => [
    scenario("FIFO", size, () => fifos),
    scenario("LIFO", size, () => lifos),
    scenario("few priorities", size, () => heaps(fewPriorities(), undefined)),
    scenario("wide priorities", size, () => heaps(widePriorities(), undefined)),
    scenario("aging", size, () => heaps(fewPriorities(), 1_000)),
    instrumentedScenario(size),
  ])
  .concat(queueScenario(1), queueScenario(5));
