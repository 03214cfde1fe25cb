import assert from "node:assert/strict";
import type { Case } from "../case.js";
import { turn } from "../eventually.js";
import { random } from "../random.js";
import { Rig } from "../rig.js";

/** What is told, and how often. */
export const accounts: readonly Case[] = [
  {
    name: "each put is begun once, in its caller's context, and over once",
    async run(kind) {
      const rig = Rig.attached(kind, 2);
      const jobs = Array.from({ length: 20 }, () => rig.put());
      await rig.untilIdle();
      const { telemetry } = rig;
      assert.deepEqual(
        [telemetry.begun, telemetry.over, telemetry.accepted],
        [20, 20, 20],
        "puts begun, over, and accepted",
      );
      const own = telemetry.origins.every((origin, i) => origin === jobs[i]?.origin);
      assert.ok(own, "a put was begun in another async context than its caller's");
      rig.check();
    },
  },
  {
    name: "each item of a batch is told as put and is taken with its caller's context",
    isFor: ({ putMany }) => putMany !== undefined,
    async run(kind) {
      const rig = Rig.attached(kind, 2);
      const jobs = rig.putMany([{}, {}, {}]);
      await rig.untilIdle();
      assert.equal(rig.telemetry.accepted, 3);
      assert.equal(rig.telemetry.begun, rig.telemetry.over);
      assert.ok(rig.telemetry.origins.every((origin) => origin === jobs[0]?.origin));
      rig.check();
    },
  },
  {
    name: "each item that is taken is told once, with what travelled with it",
    isFor: ({ tells }) => tells.includes("takes"),
    async run(kind) {
      const rig = Rig.attached(kind, 2);
      const jobs = Array.from({ length: 20 }, () => rig.put());
      await rig.untilIdle();
      const { takes } = rig.telemetry;
      assert.equal(takes.length, 20, "items that were taken");
      for (const { origin } of jobs) {
        assert.equal(takes.filter((take) => take.origin === origin).length, 1, "an item was taken once");
      }
      rig.check();
    },
  },
  {
    name: "each task that ends is told once, as success, or as failure with its error",
    isFor: ({ tells }) => tells.includes("outcomes"),
    async run(kind) {
      const rig = Rig.attached(kind, 3);
      const errors = [new Error("at once"), new Error("later")];
      rig.put(() => "at once");
      rig.put(async () => "later");
      rig.put(() => {
        throw errors[0];
      });
      rig.put(async () => {
        await turn();
        throw errors[1];
      });
      await rig.untilIdle();
      const { telemetry } = rig;
      assert.equal(telemetry.settlements, 4, "ends that were told");
      assert.deepEqual(new Set(telemetry.failures), new Set(errors), "failures that were told");
      const { inFlight, inFlightOldestAt } = rig.probe;
      assert.deepEqual([inFlight ?? 0, inFlightOldestAt], [0, undefined], "in flight");
      rig.check();
    },
  },
  {
    name: "the span of each handler is ended once, with the error if there was one",
    isFor: ({ handlers }) => handlers === "in-context",
    async run(kind) {
      const rig = Rig.attached(kind, 2);
      const error = new Error("failed");
      rig.put(() => 1);
      rig.put(turn);
      rig.put(async () => {
        throw error;
      });
      await rig.untilIdle();
      const { spans, endings } = rig.telemetry;
      assert.deepEqual([spans, endings.length], [3, 3], "begun and ended");
      assert.deepEqual(
        endings.flatMap((failure) => failure ?? []),
        [{ error }],
      );
      rig.check();
    },
  },
  {
    name: "what tells promises is told, and nothing else",
    async run(kind) {
      const rig = Rig.attached(kind, 2);
      for (let i = 0; i < 5; i++) rig.put(turn);
      await rig.untilIdle();
      const { tells = kind.tells } = rig;
      assert.deepEqual(
        kind.tells.filter((each) => !tells.includes(each)),
        [],
        "the attachment's tells lacks these",
      );
      for (const each of ["takes", "outcomes", "durations", "pulls"] as const) {
        const wasTold = rig.telemetry.told.has(each);
        if (kind.tells.includes(each)) assert.ok(wasTold, `${each} were not told`);
      }
      rig.check();
    },
  },
  {
    name: "of 1,000 tasks with random outcomes, as many were put as were taken, are dropped, or wait",
    async run(kind) {
      const rig = Rig.attached(kind, 4);
      const { below } = random(20_26);
      const errors: Error[] = [];
      const fail = () => {
        const error = new Error(`failure ${errors.length}`);
        errors.push(error);
        return error;
      };
      const works: (() => unknown)[] = [
        () => 1,
        async () => 2,
        () => turn(),
        () => {
          throw fail();
        },
        () => Promise.reject(fail()),
      ];
      let dropped = 0;
      const balance = () => {
        const { accepted, takes, drops } = rig.telemetry;
        assert.equal(drops.length, dropped, "dropped");
        if (kind.tells.includes("takes")) {
          assert.equal(takes.length + drops.length + rig.depth(), accepted, "taken + dropped + depth");
        }
      };
      for (let i = 1; i <= 1_000; i++) {
        const priority = below(3);
        rig.put(works[below(works.length)], kind.priorities === undefined ? {} : { priority });
        if (kind.clear !== undefined && below(200) === 0) {
          // What was handed out already is in its handler's hands by then.
          await turn();
          dropped += rig.drop("clear");
          await turn();
        }
        if (below(10) === 0) await turn();
        if (i % 100 !== 0) continue;
        await turn();
        balance();
      }
      await rig.untilIdle();
      balance();
      const { telemetry } = rig;
      assert.deepEqual(
        [telemetry.begun, telemetry.over, telemetry.accepted, rig.depth()],
        [1_000, 1_000, 1_000, 0],
      );
      if (kind.tells.includes("outcomes")) {
        assert.equal(telemetry.settlements, 1_000 - dropped, "ends that were told");
        assert.equal(telemetry.failures.length, errors.length, "failures that were told");
      }
      rig.check();
    },
  },
];
