import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { AnyKind, Case } from "../case.js";
import { turn } from "../eventually.js";
import type { Job } from "../job.js";
import { Rig } from "../rig.js";

/** What users of the queue get to see. */
export const transparency: readonly Case[] = [
  {
    name: "an item put twice is two tasks, and a falsy one is a task like any other",
    async run(kind) {
      const rig = Rig.attached(kind, 1);
      const [gate] = await rig.block();
      const object = {};
      const falsy = [0, "", false, Number.NaN, null, undefined].filter(
        (item) => !kind.refuses?.some((refused) => Object.is(refused, item)),
      );
      const items = [object, "twice", object, "twice", ...falsy, ...falsy];
      for (const item of items) rig.putItem(item);
      gate!.open();
      await rig.untilIdle();
      const handled = rig.started.slice(1).map(({ item }) => item);
      assert.deepEqual(occurrences(handled), occurrences(items), "how often each item was handled");
      assert.equal(rig.telemetry.accepted, items.length + 1, "puts that were told");
      if (kind.tells.includes("takes")) assert.equal(rig.telemetry.takes.length, items.length + 1);
      rig.check();
    },
  },
  {
    name: "results and errors of handlers come back as they are",
    isFor: ({ results }) => results === "promised",
    async run(kind) {
      const rig = Rig.attached(kind, 2);
      const value = {};
      const errors = [new Error("at once"), new Error("later")];
      const good = [rig.put(() => value), rig.put(async () => value)];
      const nothing = rig.put(() => undefined);
      const bad = [
        rig.put(() => {
          throw errors[0];
        }),
        rig.put(async () => {
          throw errors[1];
        }),
      ];
      await rig.untilIdle();
      for (const job of good) assertSame(await rig.outcomeOf(job), { value });
      assertSame(await rig.outcomeOf(nothing), { value: undefined });
      for (const [i, job] of bad.entries()) assertSame(await rig.outcomeOf(job), { error: errors[i] });
      rig.check();
    },
  },
  {
    name: "the handlers' order and the puts' results are those of a bare queue",
    async run(kind) {
      const bare = await play(new Rig(kind, 2), kind);
      const wrapped = await play(Rig.attached(kind, 2), kind);
      assert.deepEqual(wrapped, bare, "with telemetry, and without");
    },
  },
  {
    name: "two queues of one kind are kept apart",
    async run(kind) {
      const rigs = [Rig.attached(kind, 1), Rig.attached(kind, 2)];
      const items = Array.from({ length: 10 }, () => ({}));
      for (const item of items) for (const rig of rigs) rig.putItem(item, turn);
      for (const rig of rigs) {
        await rig.untilIdle();
        const { begun, accepted, takes, lost } = rig.telemetry;
        assert.deepEqual([begun, accepted, rig.depth()], [10, 10, 0]);
        if (kind.tells.includes("takes")) assert.equal(takes.length, 10, "items that were taken");
        if (kind.handlers === "in-context") {
          assert.equal(lost, 0, "contexts that were lost");
          assert.ok(rig.jobs.every(({ seen, origin }) => seen.every((context) => context === origin)));
        }
        rig.check();
      }
    },
  },
];

/** The very same value or error, not one like it. */
function assertSame(found: Job["outcome"], expected: Job["outcome"]): void {
  const [key, value] = Object.entries(expected!)[0]!;
  const isSame = key in found! && Object.is((found as Record<string, unknown>)[key], value);
  assert.ok(isSame, `what came back is ${inspect(found)}, not ${inspect(expected)}`);
}

/** Which items there are, and how often: queues have orders of their own. */
function occurrences(items: readonly unknown[]): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** The same story for each queue, and what came of it. */
async function play(rig: Rig<object>, kind: AnyKind): Promise<unknown> {
  const works: (() => unknown)[] = [
    () => "at once",
    async () => "later",
    () => turn().then(() => "much later"),
    () => {
      throw new Error("thrown");
    },
    () => Promise.reject(new Error("rejected")),
  ];
  const jobs = Array.from({ length: 25 }, (_, i) =>
    rig.put(works[(i * 7) % 5], kind.priorities === undefined ? {} : { priority: (i * 3) % 4 }),
  );
  await rig.untilIdle();
  const outcomes =
    kind.results === "promised" ? await Promise.all(jobs.map((job) => rig.outcomeOf(job))) : [];
  rig.check();
  return {
    order: rig.started.map((job) => jobs.indexOf(job)),
    outcomes: outcomes.map((outcome) => ("error" in outcome! ? String(outcome.error) : outcome!.value)),
  };
}
