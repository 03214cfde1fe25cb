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
import { type Vessel, weigh } from "../weigh.js";

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
    run: () => overheads(name, vessels(), size),
  };
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

/** Bytes per queued item, beyond the item itself, and what is left of them when the queue is empty again. */
export const memory: readonly Scenario[] = (["10k", "1M"] as const).flatMap((size) => [
  scenario("FIFO", size, () => fifos),
  scenario("LIFO", size, () => lifos),
  scenario("few priorities", size, () => heaps(fewPriorities(), undefined)),
  scenario("wide priorities", size, () => heaps(widePriorities(), undefined)),
  scenario("aging", size, () => heaps(fewPriorities(), 1_000)),
  instrumentedScenario(size),
]);
