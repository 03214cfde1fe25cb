import { afterAll, expect } from "vitest";
import { FAULTS, type LiveFault } from "./faults.js";
import { inWords, type Notice } from "./receiver.js";
import { itWith, type LiveTest } from "./servers.js";
import { PROGRAMS, type Stack, startStack } from "./stack.js";
import { type Row, tell } from "./table.js";
import { until } from "./until.js";

/** Orders a second: of the fifty that can be shipped, and, besides a fault, few enough to leave everything else to it. */
const CALM = 20;
const QUIET = 1;
/** Scrapes after which every rule has had enough to look at. */
const HEALTHY_SCRAPES = 20;
const CALM_SCRAPES = 60;
/** For which a fault goes on after its alert has come: two of Alertmanager's intervals, for other alerts to come, too. */
const MORE_SCRAPES = 40;
const PATIENCE_MS = 90_000;
const LIMITS = { timeoutMs: 300_000, concurrent: true };

const rows: Row[] = [];
const live = itWith(...PROGRAMS);

live(
  "a healthy service under a calm load makes no alert",
  async (test) => {
    const { stack, startedAt } = await healthy(test, CALM);
    await scraped(stack, CALM_SCRAPES);
    expect(stack.receiver.since(startedAt, "firing").map(inWords)).toEqual([]);
    expect(await stack.prometheus.query("ALERTS")).toEqual([]);
  },
  LIMITS,
);

for (const fault of FAULTS) {
  live(
    `${fault.name}: ${fault.alert} comes and goes, and no other page`,
    (test) => breakAndMend(test, fault),
    LIMITS,
  );
}

afterAll(() => tell(rows));

async function breakAndMend(test: LiveTest<(typeof PROGRAMS)[number]>, fault: LiveFault): Promise<void> {
  const { stack } = await healthy(test, QUIET);
  const { demo, receiver } = stack;

  const told = () => receiver.notices.map((notice) => `${notice.status} ${inWords(notice)}`).join("\n");
  const isExpected = ({ labels }: Notice) => labels.alertname === fault.alert;

  const beganAt = performance.now();
  await fault.begin(demo);
  const fired = await until(
    () => `${fault.alert}, only:\n${told()}`,
    () => receiver.since(beganAt, "firing").find(isExpected),
    PATIENCE_MS,
  );
  await scraped(stack, MORE_SCRAPES);

  const endedAt = performance.now();
  await fault.end(demo);
  await until(
    () => `end of all alerts, only:\n${told()}`,
    () => (stillFiring(receiver.notices).length === 0 ? true : undefined),
    PATIENCE_MS,
  );
  const resolved = receiver.since(endedAt, "resolved").filter(isExpected).at(-1)!;

  const others = receiver.since(beganAt, "firing").filter((notice) => !isExpected(notice));
  rows.push({
    fault: fault.name,
    alert: inWords(fired),
    firedAfterMs: fired.at - beganAt,
    resolvedAfterMs: resolved.at - endedAt,
    besides: [...new Set(others.map(inWords))],
  });
  expect(others.filter(({ labels }) => labels.severity === "critical").map(inWords)).toEqual([]);
}

/** A demo that has been scraped for a while, and orders that come. */
async function healthy(
  test: LiveTest<(typeof PROGRAMS)[number]>,
  perSecond: number,
): Promise<{ stack: Stack; startedAt: number }> {
  const startedAt = performance.now();
  const stack = await startStack(test, ["--no-load"]);
  const closing = new AbortController();
  test.lifetime(() => closing.abort());
  void stack.demo.sendOrders(perSecond, closing.signal);
  await scraped(stack, HEALTHY_SCRAPES);
  return { stack, startedAt };
}

/** Waits until the demo has been read so many times more. */
async function scraped({ prometheus }: Stack, times: number): Promise<void> {
  const count = async () =>
    (await prometheus.query('sum(count_over_time(up{job="order-service"}[1h]))'))[0]?.value ?? 0;
  const before = await count();
  await prometheus.until(`${times} scrapes`, async () =>
    (await count()) >= before + times ? true : undefined,
  );
}

/** Alerts whose last notice says that they fire. */
function stillFiring(notices: readonly Notice[]): Notice[] {
  const last = new Map(notices.map((notice) => [JSON.stringify(notice.labels), notice]));
  return [...last.values()].filter(({ status }) => status === "firing");
}
