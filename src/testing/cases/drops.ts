import assert from "node:assert/strict";
import type { DropReason } from "../../contracts/index.js";
import type { AnyKind, Case } from "../case.js";
import { eventually, turn } from "../eventually.js";
import { Gate } from "../job.js";
import { Rig } from "../rig.js";

async function assertDropsAreTold(kind: AnyKind, how: "clear" | "kill"): Promise<Rig<object>> {
  const rig: Rig<object> = Rig.attached(kind, 1);
  const [gate] = await rig.block();
  for (let i = 0; i < 4; i++) rig.put();
  await turn();
  const waiting = rig.drop(how);
  await turn();
  assert.equal(waiting, 4);
  assertDrops(rig, 4);
  gate!.open();
  await rig.untilIdle();
  assert.equal(rig.started.length, 1, "handlers that were called");
  if (kind.tells.includes("takes")) assert.equal(rig.telemetry.takes.length, 1, "items that were taken");
  if (kind.tells.includes("outcomes")) assert.equal(rig.telemetry.settlements, 1, "ends that were told");
  rig.check();
  return rig;
}

function assertDrops(rig: Rig<object>, count: number): void {
  const { drops } = rig.telemetry;
  assert.equal(drops.length, count, "drops that were told");
  const isPromised = (reason: DropReason) => rig.kind.tells.includes(reason);
  assert.ok(drops.every(isPromised), `dropped for the reasons ${drops}, which tells lacks`);
  assert.equal(rig.depth(), 0, "depth");
  assert.ok(
    rig.probe.tiers.every((_, tier) => rig.probe.oldestAt(tier) === undefined),
    "an age is left",
  );
}

/** What leaves a queue without being taken. */
export const drops: readonly Case[] = [
  {
    name: "each item that is cleared is told as dropped, for a reason that tells has, and what comes later is not",
    isFor: ({ clear }) => clear !== undefined,
    async run(kind) {
      const rig = await assertDropsAreTold(kind, "clear");
      rig.put();
      await rig.untilIdle();
      assert.deepEqual([rig.telemetry.accepted, rig.telemetry.drops.length, rig.depth()], [6, 4, 0]);
      rig.check();
    },
  },
  {
    name: "each item that is killed with its queue is told as dropped, for a reason that tells has",
    isFor: ({ kill }) => kill !== undefined,
    async run(kind) {
      await assertDropsAreTold(kind, "kill");
    },
  },
  {
    name: "a task that is aborted while it waits is told as dropped, and one that runs as a failure, once",
    isFor: ({ signals }) => signals === "observed",
    async run(kind) {
      const rig = Rig.attached(kind, 1);
      const [running, waiting] = [new AbortController(), new AbortController()];
      const gate = new Gate();
      rig.put(gate.work, { signal: running.signal });
      await rig.untilStarted(1);
      const job = rig.put(undefined, { signal: waiting.signal });
      await turn();
      waiting.abort();
      rig.forget(job);
      await turn();
      assertDrops(rig, 1);
      const reason = new Error("aborted");
      running.abort(reason);
      await turn();
      gate.open();
      await rig.untilIdle();
      if (kind.tells.includes("outcomes")) assert.deepEqual(rig.telemetry.failures, [reason]);
      rig.put();
      await rig.untilIdle();
      assert.equal(rig.telemetry.settlements, kind.tells.includes("outcomes") ? 2 : 0, "ends that were told");
      rig.check();
    },
  },
  {
    name: "a task that takes longer than it may is told as a failure, once, whatever comes of it",
    isFor: ({ timeouts, tells }) => timeouts === "observed" && tells.includes("outcomes"),
    async run(kind) {
      const rig = Rig.attached(kind, 1);
      const gate = new Gate();
      rig.put(gate.work, { timeoutMs: 10 });
      await eventually(
        () => rig.telemetry.failures.length > 0,
        () => "a task took too long, and nothing was told",
      );
      gate.open();
      rig.put();
      await rig.untilIdle();
      assert.equal(rig.telemetry.settlements, 2, "ends that were told");
      assert.equal(rig.telemetry.failures.length, 1, "failures that were told in the end");
      rig.check();
    },
  },
];
