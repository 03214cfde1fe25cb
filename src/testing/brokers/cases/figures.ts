import assert from "node:assert/strict";
import type { BrokerCase } from "../case.js";
import type { PolledFigure } from "../kind.js";

/** The metrics of what a broker tells. */
const METRICS: Readonly<Record<PolledFigure, string>> = {
  depth: "queue.depth",
  oldestAt: "queue.oldest.age.seconds",
  inFlight: "queue.inflight",
  delayed: "queue.delayed",
  consumers: "queue.consumers",
};
const ALL = Object.keys(METRICS) as PolledFigure[];

/** Of a queue with one consumer, which handles one message, while two wait. */
const EXPECTED: Readonly<Record<PolledFigure, number | undefined>> = {
  depth: 2,
  oldestAt: undefined,
  inFlight: 1,
  delayed: 0,
  consumers: 1,
};

/** What the broker tells of all processes. */
export const figures: readonly BrokerCase[] = [
  {
    name: "the broker's figures are as they are, shared, and not doubled by a second poller; what it doesn't tell is absent",
    async run({ here, kind, queue }) {
      const told = ALL.filter((each) => kind.polls?.includes(each));
      for (let i = 0; i < 2; i++) await here.openProducer(queue, { telemetry: "polling" }, kind.adapter());
      await here.consume(queue);
      await here.send(queue, [{ id: 1, waits: true }, { id: 2 }, { id: 3 }]);
      await here.begun(1);
      const shared = (report: Awaited<ReturnType<typeof here.report>>, each: PolledFigure) =>
        report.points(METRICS[each], { "queue.scope": "shared" });
      const report = await here.until(
        () => here.report(queue),
        (each) =>
          told.every((figure) => {
            const [point] = shared(each, figure);
            return point !== undefined && point.value === (EXPECTED[figure] ?? point.value);
          }),
        (each) =>
          `the broker's figures are ${JSON.stringify(told.map((one) => [one, shared(each!, one), EXPECTED[one]]))}`,
      );
      for (const each of ALL) {
        assert.equal(shared(report, each).length, told.includes(each) ? 1 : 0, `shared points of ${each}`);
      }
      assert.equal(report.own("queue.inflight"), 1, "in flight in this process");
      const [oldest] = shared(report, "oldestAt");
      assert.ok(oldest === undefined || oldest.value >= 0, `the oldest has an age of ${oldest?.value} s`);
      here.openGate();
      await here.reportOn(queue, 3);
    },
  },
];
