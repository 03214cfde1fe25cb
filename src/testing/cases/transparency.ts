import assert from "node:assert/strict";
import type { AnyKind, Case } from "../case.js";
import { turn } from "../eventually.js";
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
      for (const { result } of good) assert.ok((await result) === value, "another value came back");
      assert.equal(await nothing.result, undefined);
      for (const [i, { result }] of bad.entries()) {
        const error = await result.then(
          () => assert.fail("a handler failed, and its put succeeded"),
          (reason: unknown) => reason,
        );
        assert.ok(error === errors[i], `another error came back: ${String(error)}`);
      }
      await rig.untilIdle();
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
        assert.deepEqual([begun, accepted, lost, rig.depth()], [10, 10, 0, 0]);
        if (kind.tells.includes("takes")) assert.equal(takes.length, 10, "items that were taken");
        if (kind.handlers === "in-context") {
          assert.ok(rig.jobs.every(({ seen, origin }) => seen.every((context) => context === origin)));
        }
        rig.check();
      }
    },
  },
];

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
  const results =
    kind.results === "promised" ? await Promise.allSettled(jobs.map(({ result }) => result)) : [];
  rig.check();
  return {
    order: rig.started.map((job) => jobs.indexOf(job)),
    results: results.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason))),
  };
}
