import assert from "node:assert/strict";
import type { Case } from "../case.js";
import { turn } from "../eventually.js";
import { Rig } from "../rig.js";

/** Depth and in flight, as the probe has them, next to what they are. */
function assertFigures(rig: Rig<object>, depth: number, inFlight: number): void {
  assert.equal(rig.depth(), depth, "depth");
  const { probe } = rig;
  if (probe.inFlight !== undefined) assert.equal(probe.inFlight, inFlight, "in flight");
  if (!rig.kind.tells.includes("outcomes")) return;
  const since = probe.inFlightOldestAt;
  if (inFlight === 0) assert.equal(since, undefined, "nothing is in flight, and it has an age");
  else assert.ok(since !== undefined && since <= probe.now(), `the oldest in flight is since ${since}`);
}

/** What the watchdog and the gauges read. */
export const probes: readonly Case[] = [
  {
    name: "the probe shows depth and in flight as they are, at each step",
    async run(kind) {
      const rig = Rig.attached(kind, 2);
      assertFigures(rig, 0, 0);
      const gates = await rig.block();
      assertFigures(rig, 0, 2);
      for (let i = 1; i <= 3; i++) {
        rig.put();
        await turn();
        assertFigures(rig, i, 2);
      }
      gates[0]!.open();
      await rig.untilStarted(5);
      await turn();
      assertFigures(rig, 0, 1);
      gates[1]!.open();
      await rig.untilIdle();
      assertFigures(rig, 0, 0);
      rig.check();
    },
  },
  {
    name: "the probe shows since when the oldest item of each tier waits",
    async run(kind) {
      const rig = Rig.attached(kind, 1);
      const { probe } = rig;
      const [gate] = await rig.block();
      assert.deepEqual(
        probe.tiers.map((_, tier) => probe.oldestAt(tier)),
        probe.tiers.map(() => undefined),
        "nothing waits, and it has an age",
      );
      const priorities: readonly (number | undefined)[] =
        kind.priorities === undefined ? [undefined] : [2, 0, 1];
      const times: { readonly from: number; readonly to: number }[] = [];
      for (const priority of [...priorities, ...priorities]) {
        const from = probe.now();
        rig.put(undefined, priority === undefined ? {} : { priority });
        times.push({ from, to: probe.now() });
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      for (const [tier, name] of probe.tiers.entries()) {
        if (probe.depth(tier) === 0) continue;
        const oldest = probe.oldestAt(tier);
        const first =
          kind.adapter.priorities === true ? times[priorities.indexOf(Number(name) || 0)] : undefined;
        const { from, to } = first ?? times[0]!;
        assert.ok(
          oldest !== undefined && oldest >= from && oldest <= to,
          `tier ${name}: the oldest is since ${oldest}, and came in between ${from} and ${to}`,
        );
      }
      gate!.open();
      await rig.untilIdle();
      assert.ok(probe.tiers.every((_, tier) => probe.oldestAt(tier) === undefined));
      rig.check();
    },
  },
  {
    name: "the probe's head is what is taken next, or it knows of none",
    isFor: ({ tells }) => tells.includes("takes"),
    async run(kind) {
      const rig = Rig.attached(kind, 1);
      const [gate] = await rig.block();
      assert.equal(rig.probe.headAt(), undefined, "nothing waits, and it has a head");
      for (const priority of [1, 2, 0]) {
        rig.put(undefined, kind.priorities === undefined ? {} : { priority });
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      const headAt = rig.probe.headAt();
      gate!.open();
      await rig.untilIdle();
      if (headAt !== undefined) assert.equal(rig.telemetry.takes[1]?.enqueuedAt, headAt);
      rig.check();
    },
  },
  {
    name: "the probe never throws, for tiers that there aren't and after detach either",
    async run(kind) {
      const rig = Rig.attached(kind, 1);
      const { probe } = rig;
      const readAll = () => {
        assert.ok(Number.isFinite(probe.now()));
        assert.ok(probe.tiers.length > 0 && probe.capacity > 0);
        for (let tier = 0; tier <= probe.tiers.length; tier++) {
          const depth = probe.depth(tier);
          assert.ok(depth >= 0 || tier === probe.tiers.length, `tier ${tier} has a depth of ${depth}`);
          probe.oldestAt(tier);
        }
        return [
          probe.headAt(),
          probe.delayed,
          probe.inFlight,
          probe.inFlightOldestAt,
          probe.waitingPuts,
          probe.waitingGets,
        ];
      };
      readAll();
      const [gate] = await rig.block();
      rig.put();
      readAll();
      rig.detach();
      readAll();
      gate!.open();
      await rig.untilIdle();
      rig.put();
      await rig.untilIdle();
      readAll();
      rig.check();
    },
  },
];
