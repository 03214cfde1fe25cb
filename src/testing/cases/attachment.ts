import assert from "node:assert/strict";
import { type Case, inContext } from "../case.js";
import { turn } from "../eventually.js";
import { Rig } from "../rig.js";
import { Snapshot } from "../snapshot.js";

/** Coming and going. */
export const attachments: readonly Case[] = [
  {
    name: "detach restores every own property",
    async run(kind) {
      const rig = new Rig(kind, 1);
      const untouched = Snapshot.of(rig.queue);
      rig.attach();
      rig.detach();
      untouched.assertSame("attached and detached");
      rig.attach();
      rig.put();
      await rig.untilIdle();
      rig.detach();
      untouched.assertSameMethods("attached, used and detached");
    },
  },
  {
    name: "after detach the queue goes on working, what waits and what runs included, and puts are not told",
    async run(kind) {
      const rig = Rig.attached(kind, 1);
      const [gate] = await rig.block();
      for (let i = 0; i < 3; i++) rig.put(turn);
      await turn();
      rig.detach();
      const { begun } = rig.telemetry;
      const value = {};
      const late = rig.put(() => value);
      gate!.open();
      await rig.untilIdle();
      if (kind.results === "promised") assert.deepEqual(await rig.outcomeOf(late), { value });
      assert.equal(rig.started.length, 5, "handlers that were called");
      assert.equal(rig.telemetry.begun, begun, "puts that were told");
      assert.ok(rig.telemetry.settlements <= rig.started.length, "ends that were told");
      const { spans, endings } = rig.telemetry;
      assert.equal(endings.length, spans, "spans that were ended");
      rig.check();
    },
  },
  {
    name: "a queue can be attached to again, when it was detached",
    async run(kind) {
      const rig = Rig.attached(kind, 2);
      rig.put();
      await rig.untilIdle();
      const first = rig.telemetry;
      rig.check();
      rig.detach();
      const second = rig.attach();
      for (let i = 0; i < 5; i++) rig.put(turn);
      await rig.untilIdle();
      assert.deepEqual([first.accepted, second.accepted], [1, 5], "puts that were told first, and then");
      if (kind.tells.includes("takes")) assert.equal(second.takes.length, 5, "items that were taken");
      if (inContext(kind)) {
        assert.ok(rig.jobs.slice(1).every(({ seen, origin }) => seen.every((context) => context === origin)));
      }
      rig.check();
    },
  },
  {
    name: "items that were there before are handled, age from then on, and are no loss of context",
    async run(kind) {
      const rig = new Rig(kind, 1);
      const [gate] = await rig.block();
      for (let i = 0; i < 3; i++) rig.put(turn);
      await turn();
      await new Promise((resolve) => setTimeout(resolve, 5));
      const attachedAt = performance.now();
      const telemetry = rig.attach();
      telemetry.strangers = 4;
      const before = kind.size === "unknown" ? 0 : 3;
      assert.equal(rig.depth(), before, "depth");
      const oldest = rig.probe.oldestAt(0);
      const elapsed = performance.now() - attachedAt;
      if (oldest !== undefined) {
        const age = rig.probe.now() - oldest;
        assert.ok(age <= elapsed + 2, `attached ${elapsed} ms ago, and an item waits for ${age} ms`);
      }
      const late = Array.from({ length: 3 }, () => rig.put(turn));
      await turn();
      assert.equal(rig.depth(), before + 3, "depth with those that came later");
      gate!.open();
      await rig.untilIdle();
      assert.equal(rig.depth(), 0, "depth when all are handled");
      assert.equal(telemetry.accepted, 3, "puts that were told");
      assert.ok(telemetry.settlements <= 7, "ends that were told");
      if (inContext(kind)) {
        assert.equal(telemetry.lost, 0, "contexts that were lost");
        assert.ok(late.every(({ seen, origin }) => seen.every((context) => context === origin)));
      }
      if (kind.tells.includes("takes")) {
        for (const { origin } of late) {
          assert.equal(telemetry.takes.filter((take) => take.origin === origin).length, 1);
        }
      }
      assert.deepEqual([rig.probe.inFlight ?? 0, rig.probe.inFlightOldestAt], [0, undefined], "in flight");
      rig.check();
    },
  },
  {
    name: "a frozen queue is refused with NotInstrumentableError and left as it is, or it works",
    async run(kind) {
      const rig = new Rig(kind, 1);
      Object.freeze(rig.queue);
      const untouched = Snapshot.of(rig.queue);
      try {
        rig.attach();
      } catch (error) {
        const { code } = error as { code?: unknown };
        assert.equal(code, "QUEUE_NOT_INSTRUMENTABLE", `not a NotInstrumentableError: ${String(error)}`);
        untouched.assertSame("refused");
        return;
      }
      rig.put();
      await rig.untilIdle();
      assert.equal(rig.telemetry.accepted, 1, "puts that were told");
      rig.check();
    },
  },
];
