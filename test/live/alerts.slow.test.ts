import { afterAll, expect } from "vitest";
import { FAULTS, type LiveFault } from "./faults.js";
import { PACE } from "./pace.js";
import { inWords, type Notice } from "./receiver.js";
import { itWith, lifetimeOfFile } from "./servers.js";
import { Service, scraped } from "./service.js";
import { PROGRAMS, type Stack } from "./stack.js";
import { type Row, tell } from "./table.js";
import { until } from "./until.js";

const live = itWith(...PROGRAMS);
const lifetime = lifetimeOfFile();
const rows: Row[] = [];

for (const faults of PACE.areFaultsInTurn ? FAULTS : FAULTS.flat().map((fault) => [fault])) {
  const service = new Service(lifetime);
  const names = faults.map(({ name }) => name).join(", ");
  const options = { timeoutMs: PACE.testMs, concurrent: true };
  live(
    `before ${names}: a healthy service under a calm load makes no alert`,
    ({ paths }) =>
      service.inTurn(paths, async ({ receiver }) => expect(receiver.notices.map(inWords)).toEqual([])),
    options,
  );
  for (const fault of faults) {
    live(
      `${fault.name}: ${fault.alert} pages, is resolved afterwards, and no other page comes`,
      ({ paths }) => service.inTurn(paths, (stack) => breakAndMend(stack, fault)),
      options,
    );
  }
}

const order = FAULTS.flat().map(({ name }) => name);
afterAll(() => tell(rows.sort((a, b) => order.indexOf(a.fault) - order.indexOf(b.fault))));

async function breakAndMend(stack: Stack, fault: LiveFault): Promise<void> {
  const { demo, prometheus, receiver } = stack;
  const told = () => receiver.notices.map((notice) => `${notice.status} ${inWords(notice)}`).join("\n");
  const isExpected = ({ labels }: Notice) => labels.alertname === fault.alert;
  const pages = ({ labels }: Notice) => labels.severity === "critical";
  const allOver = () =>
    until(
      () => `the end of all alerts, only:\n${told()}`,
      async () => {
        // What is pending might come as an aftermath.
        const calm = receiver.firing.length === 0 && (await prometheus.query("ALERTS")).length === 0;
        return calm ? true : undefined;
      },
      PACE.patienceMs,
    );
  await allOver();

  const beganAt = performance.now();
  await fault.begin(demo);
  const fired = await until(
    () => `a page by ${fault.alert}, only:\n${told()}`,
    () => receiver.since(beganAt, "firing").find((notice) => isExpected(notice) && pages(notice)),
    PACE.patienceMs,
  );
  await scraped(stack, PACE.moreScrapes, PACE.patienceMs);

  const endedAt = performance.now();
  await fault.end(demo);
  await allOver();
  const resolved = receiver
    .since(endedAt, "resolved")
    .filter((notice) => isExpected(notice) && pages(notice))
    .at(-1);
  if (resolved === undefined)
    throw new Error(`${fault.alert} did not wait for the end of the fault:\n${told()}`);

  const others = receiver.since(beganAt, "firing").filter((notice) => !isExpected(notice));
  rows.push({
    fault: fault.name,
    alert: fault.alert,
    firedAfterMs: fired.at - beganAt,
    resolvedAfterMs: resolved.at - endedAt,
    besides: kindsOf(others),
    inhibited: await firedSilently(stack, beganAt),
  });
  const unexpected = others.filter((notice) => pages(notice) && notice.labels.alertname !== fault.mayPage);
  expect(unexpected.map(inWords)).toEqual([]);
}

/** What Prometheus has fired since the moment, and Alertmanager kept to itself. */
async function firedSilently({ prometheus, receiver }: Stack, since: number): Promise<string[]> {
  const window = `${Math.round(performance.now() - since)}ms`;
  const fired = await prometheus.query(`last_over_time(ALERTS{alertstate="firing"}[${window}])`);
  const told = kindsOf(receiver.since(since, "firing"));
  return kindsOf(fired).filter((kind) => !told.includes(kind));
}

/** Each once, however many queues and tiers it is about. */
function kindsOf(alerts: readonly Pick<Notice, "labels">[]): string[] {
  return [...new Set(alerts.map(({ labels }) => `${labels.alertname} (${labels.severity})`))].sort();
}
