import assert from "node:assert/strict";
import { type Case, inContext, pauses } from "../case.js";
import { turn } from "../eventually.js";
import type { Job } from "../job.js";
import { Rig } from "../rig.js";

function assertOwnContext(jobs: readonly Job[]): void {
  for (const [i, { seen, origin }] of jobs.entries()) {
    const where = ["at its start", "at its end"];
    for (const [at, context] of seen.entries()) {
      const whose = jobs.findIndex((job) => job.origin === context);
      const found = context === undefined ? "none" : whose < 0 ? "another one" : `that of item ${whose}`;
      assert.ok(context === origin, `the handler of item ${i} ran ${where[at]} in a wrong context: ${found}`);
    }
  }
}

/** Each handler runs in the context of its own put. */
export const contexts: readonly Case[] = [
  {
    name: "each handler runs in the context of its own put, with several at a time",
    isFor: inContext,
    async run(kind) {
      for (const concurrency of [1, 3]) {
        const rig = Rig.attached(kind, concurrency);
        const gates = await rig.block();
        for (let i = 0; i < 20; i++) rig.put(i % 2 === 0 ? turn : () => i);
        for (const gate of gates) gate.open();
        await rig.untilIdle();
        assertOwnContext(rig.jobs);
        rig.check();
      }
    },
  },
  {
    name: "each handler runs in the context of its own put, after a pause",
    isFor: (kind) => inContext(kind) && pauses(kind),
    async run(kind) {
      const rig = Rig.attached(kind, 2);
      rig.pause();
      for (let i = 0; i < 10; i++) rig.put(turn);
      await turn();
      assert.equal(rig.started.length, 0, "handlers were called in a pause");
      rig.resume();
      await rig.untilIdle();
      assertOwnContext(rig.jobs);
      rig.check();
    },
  },
  {
    name: "each handler runs in the context of its own put, when priorities change the order",
    isFor: (kind) => inContext(kind) && kind.priorities !== undefined,
    async run(kind) {
      const rig = Rig.attached(kind, 1);
      const [gate] = await rig.block();
      for (const priority of [1, 5, 3, 5, 0, 1]) rig.put(turn, { priority });
      gate!.open();
      await rig.untilIdle();
      assertOwnContext(rig.jobs);
      const order = rig.started.slice(1).map((job) => rig.jobs.indexOf(job));
      const expected = kind.priorities === "highest-first" ? [2, 4, 3, 1, 6, 5] : [5, 1, 6, 3, 2, 4];
      assert.deepEqual(order, expected, "order of the handlers");
      rig.check();
    },
  },
  {
    name: "each handler of a batch runs in the context of its put",
    isFor: (kind) => inContext(kind) && kind.putMany !== undefined,
    async run(kind) {
      const rig = Rig.attached(kind, 1);
      const [gate] = await rig.block();
      rig.putMany([{}, {}, {}]);
      gate!.open();
      await rig.untilIdle();
      assertOwnContext(rig.jobs);
      rig.check();
    },
  },
];
