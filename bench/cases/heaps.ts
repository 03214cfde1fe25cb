import { burst } from "../drivers/burst-heaps.js";
import { type Keys, loadOf } from "../drivers/heap-load.js";
import { stamped } from "../drivers/stamped-heaps.js";
import { STEADY_ITEMS, steady } from "../drivers/steady-heaps.js";
import { GOALS } from "../goals.js";
import { AGAIN, duels, measure } from "../harness.js";
import type { Scenario } from "../scenario.js";

const OURS = "PriorityQueue";
const STORAGE = "storage";
const STABLE = ["tinyqueue", "mnemonist", "fastpriorityqueue", "heap-js"];
/** Its ties come out in any order, so it is shown without a goal. */
const UNSTABLE = "flatqueue";
const DEPTHS = { "1k": 1_000, "100k": 100_000, "1M": 1_000_000 } as const;

function scenario(shape: "steady" | "burst", keys: Keys, words: keyof typeof DEPTHS): Scenario {
  const depth = DEPTHS[words];
  const name = `${shape}, ${keys}, ${words}`;
  return {
    name,
    isSlow: depth > 1_000,
    async run(pace) {
      const load = loadOf(depth, keys);
      const contestants = shape === "steady" ? steady(load) : burst(load);
      const items = shape === "steady" ? STEADY_ITEMS : depth;
      const samples = await measure({ items, contestants, twice: OURS }, pace);
      const goal = keys === "wide" ? GOALS.heaps.wide : GOALS.heaps.few[words];
      const goals = Object.fromEntries(STABLE.map((peer) => [peer, goal]));
      return {
        rows: [
          ...duels(name, samples, OURS, [AGAIN, ...STABLE, UNSTABLE], goals),
          ...duels(`${name}, storage`, samples, STORAGE, [...STABLE, UNSTABLE], goals),
        ],
      };
    },
  };
}

/** Peers that keep an entry with a stamp for each put, where an item belongs to the user and has no place for one. */
function stampedScenario(words: keyof typeof DEPTHS): Scenario {
  const depth = DEPTHS[words];
  const name = `stamped, wide, ${words}`;
  return {
    name,
    isSlow: depth > 1_000,
    async run(pace) {
      const contestants = stamped(loadOf(depth, "wide"));
      const samples = await measure({ items: STEADY_ITEMS, contestants, twice: OURS }, pace);
      const goals = Object.fromEntries(STABLE.map((peer) => [peer, GOALS.heaps.wideStamped]));
      return { rows: duels(name, samples, OURS, [AGAIN, ...STABLE], goals) };
    },
  };
}

/**
 * Priority queues against heaps whose comparator breaks ties by sequence: our public `tryPut` and `tryGet`, which also look after
 * capacity, waiting callers and `join`, and, like with like, the storage alone.
 */
export const heaps: readonly Scenario[] = [
  ...(["steady", "burst"] as const).flatMap((shape) =>
    (["few", "wide"] as const).flatMap((keys) =>
      (["1k", "100k", "1M"] as const).map((depth) => scenario(shape, keys, depth)),
    ),
  ),
  ...(["1k", "100k", "1M"] as const).map(stampedScenario),
];
