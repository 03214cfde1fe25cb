import type { AnyKind, Case, ConformanceCase } from "./testing/case.js";
import { accounts } from "./testing/cases/accounts.js";
import { attachments } from "./testing/cases/attachment.js";
import { contexts } from "./testing/cases/context.js";
import { drops } from "./testing/cases/drops.js";
import { probes } from "./testing/cases/probe.js";
import { transparency } from "./testing/cases/transparency.js";
import type { QueueKind } from "./testing/kind.js";

export { brokerConformance } from "./testing/brokers/conformance.js";
export type {
  BrokerConsumer,
  BrokerKind,
  BrokerProducer,
  BrokerSetting,
  HandleMessage,
  PolledFigure,
} from "./testing/brokers/kind.js";
export { serveBroker } from "./testing/brokers/other-process.js";
export type { RecordedMetric, RecordedSpan, Recording } from "./testing/brokers/recording.js";
export type { ConformanceCase } from "./testing/case.js";
export { FakeClock, type FakeClockOptions } from "./testing/fake-clock.js";
export type { Handle, PutWishes, QueueKind, QueueSetting } from "./testing/kind.js";

const CASES: readonly Case[] = [
  ...accounts,
  ...contexts,
  ...transparency,
  ...drops,
  ...probes,
  ...attachments,
];

/**
 * What every adapter has to do, as tests for whichever runner: `for (const { name, run } of adapterConformance(kind)) it(name, run)`.
 * Cases about what the kind of queue does not offer are not in the list. Each case makes queues of its own, so they may run at
 * the same time; each takes some milliseconds, and up to two seconds when it fails.
 *
 * @example
 * import { test } from "node:test";
 *
 * const cases = adapterConformance<unknown[]>({
 *   adapter: generic({ put: "push", get: "shift", size: "length" }),
 *   tells: ["takes", "pulls"],
 *   handlers: "out-of-context",
 *   make: () => [],
 *   put: (queue, item) => queue.push(item),
 *   consume: async (queue, handle) => handle(queue.shift()),
 * });
 * for (const { name, run } of cases) test(name, run);
 */
export function adapterConformance<Q extends object>(kind: QueueKind<Q>): readonly ConformanceCase[] {
  const any: AnyKind = kind;
  return CASES.filter(({ isFor }) => isFor === undefined || isFor(any)).map(({ name, run }) => ({
    name,
    run: () => run(any),
  }));
}
