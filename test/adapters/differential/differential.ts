import fc from "fast-check";
import { type Actor, type Script, Stage } from "./stage.js";
import { bare, type World } from "./worlds.js";

/** One kind of queue: how it can be configured, what can be done with it, and how that is done in a world. */
export interface Play<Config, Op> {
  readonly config: fc.Arbitrary<Config>;
  readonly script: fc.Arbitrary<Script<Op>>;
  cast(config: Config, world: World, stage: Stage<never>): Actor<Op>;
}

/** The same few runs every time, unless `FUZZ_SEED` and `QUEUESCOPE_FUZZ_RUNS` say otherwise; a failure prints its seed and path. */
export const RUNS = {
  seed: Number(process.env.FUZZ_SEED ?? 20_260_101),
  numRuns: Number(process.env.QUEUESCOPE_FUZZ_RUNS ?? 200),
};

/** Long enough for so many runs on a machine that has other things to do. */
export const TIMEOUT = { timeout: 20_000 + RUNS.numRuns * 40 };

/** The other world, in all the ways in which it can be. */
export interface Other<Way> {
  readonly ways: fc.Arbitrary<Way>;
  enter(way: Way): World | Promise<World>;
  /** What else must be true after a run. */
  check?(world: World, run: Stage<never>): Promise<void>;
}

/** Fails unless a user sees the same in the other world as in the bare one, whatever happens. */
export async function compare<Config, Op, Way>(
  play: Play<Config, Op>,
  other: Other<Way>,
  runs: fc.Parameters<[Config, Script<Op>, Way]> = RUNS,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(play.config, play.script, other.ways, async (config, script, way) => {
      const stageIn = (world: World) => new Stage(script, (stage) => play.cast(config, world, stage));
      const expected = await stageIn(bare).play();
      const world = await other.enter(way);
      try {
        const stage = stageIn(world);
        const difference = firstDifference(expected, await stage.play());
        if (difference !== undefined) throw new Error(difference);
        await other.check?.(world, stage as unknown as Stage<never>);
      } finally {
        world.leave();
      }
    }),
    runs,
  );
}

function firstDifference(expected: readonly string[], actual: readonly string[]): string | undefined {
  const length = Math.max(expected.length, actual.length);
  for (let i = 0; i < length; i++) {
    if (expected[i] === actual[i]) continue;
    const before = expected.slice(Math.max(0, i - 12), i).map((line) => `    ${line}`);
    return ["", ...before, `bare   ${expected[i] ?? "(the end)"}`, `other  ${actual[i] ?? "(the end)"}`].join(
      "\n",
    );
  }
  return undefined;
}
