import fc from "fast-check";
import { type Script, Session, type Subject } from "./session.js";
import { bare, type Side } from "./sides.js";

/** One kind of queue: how it can be configured, what can be done with it, and how that is done on a side. */
export interface Comparison<Config, Op> {
  readonly config: fc.Arbitrary<Config>;
  readonly script: fc.Arbitrary<Script<Op>>;
  create(config: Config, side: Side, session: Session<never>): Subject<Op>;
}

/** The same few runs every time, unless `FUZZ_SEED` and `QUEUESCOPE_FUZZ_RUNS` say otherwise; a failure prints its seed and path. */
export const RUNS = {
  seed: Number(process.env.FUZZ_SEED ?? 20_260_101),
  numRuns: Number(process.env.QUEUESCOPE_FUZZ_RUNS ?? 200),
};

/** Long enough for so many runs on a machine that has other things to do. */
export const TIMEOUT = { timeout: 120_000 + RUNS.numRuns * 40 };

/** The other side, in all the ways in which it can be. */
export interface Other<Way> {
  readonly ways: fc.Arbitrary<Way>;
  enter(way: Way): Side | Promise<Side>;
  /** What else must be true after a run. */
  check?(side: Side, run: Session<never>): Promise<void>;
}

/** Fails unless a user sees the same on the other side as on the bare one, whatever happens. */
export async function compare<Config, Op, Way>(
  play: Comparison<Config, Op>,
  other: Other<Way>,
  runs: fc.Parameters<[Config, Script<Op>, Way]> = RUNS,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(play.config, play.script, other.ways, async (config, script, way) => {
      const sessionOn = (side: Side) => new Session(script, (session) => play.create(config, side, session));
      const expected = await sessionOn(bare).play();
      const side = await other.enter(way);
      try {
        const session = sessionOn(side);
        const difference = firstDifference(expected, await session.play());
        if (difference !== undefined) throw new Error(difference);
        await other.check?.(side, session as unknown as Session<never>);
      } finally {
        side.leave();
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
