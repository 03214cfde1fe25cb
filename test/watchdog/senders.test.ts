import { expect, it } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import type { WatchdogOptions } from "../../src/watchdog/options.js";
import { type Senders, senderLines } from "../../src/watchdog/report/senders.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";

interface Order {
  readonly customer: string | undefined;
}

let queues = 0;

async function reported(
  options: WatchdogOptions,
  items: readonly (readonly [customer: string | undefined, correlationId: string])[],
) {
  const queue = instrument(new FifoQueue<Order>(), { name: `senders-${queues++}` });
  for (const [customer, correlationId] of items) await queue.put({ customer }, { correlationId });
  const faults: unknown[] = [];
  const watchdog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, ...options });
  watchdog.on("error", (error) => faults.push(error));
  const [report] = watchdog.watch(queue).report();
  return { report: report!, faults };
}

const tenant = (item: unknown) => (item as Order).customer;
const many = (count: number, customer: string | undefined, id: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => [customer, id(i)] as const);

it("a report says whose the items are that come next, the most frequent first", async () => {
  const items = [
    ...many(60, "acme", () => "import-7"),
    ...many(30, "umbrella", (i) => `u-${i}`),
    ...many(10, undefined, (i) => `n-${i}`),
  ];
  const { report, faults } = await reported({ tenant }, items);
  expect(report.senders).toEqual({
    sampled: 100,
    tenants: [
      { tenant: "acme", count: 60 },
      { tenant: "umbrella", count: 30 },
    ],
    correlationIds: [{ correlationId: "import-7", count: 60 }],
  });
  expect(String(report)).toMatch(
    /^FROM tenant acme 60 %, umbrella 30 %; correlation ID import-7 60 %, of the 100 that come next$/m,
  );
  expect(faults).toEqual([]);
});

it("of a long queue 200 are looked at, and five names told at most", async () => {
  const items = many(1_000, "", (i) => `id-${i % 10}`).map(([, id]) => [id, id] as const);
  const { report } = await reported({ tenant }, items);
  expect(report.senders.sampled).toBe(200);
  expect(report.senders.tenants).toHaveLength(5);
});

it("what is there once, or is rare, is not told", async () => {
  const { report } = await reported({ tenant }, [
    ...many(1, "lonely", () => "once"),
    ...many(99, undefined, (i) => `i-${i}`),
  ]);
  expect(report.senders).toEqual({ sampled: 100, tenants: [], correlationIds: [] });
  expect(String(report)).not.toContain("FROM");
});

it("a function that throws, or gives a promise or no name, costs the tenants, and nothing else", async () => {
  const failures: [WatchdogOptions["tenant"], number][] = [
    [
      () => {
        throw new Error("no customer");
      },
      1,
    ],
    [(async () => "later") as never, 1],
    [(() => 7) as never, 0],
  ];
  for (const [tenant, told] of failures) {
    const { report, faults } = await reported(
      { tenant },
      many(3, "acme", () => "same"),
    );
    expect(report.senders).toMatchObject({ sampled: 3, tenants: [], correlationIds: [{ count: 3 }] });
    expect(faults).toHaveLength(told);
  }
});

it("names are cut, and go through the redactor", async () => {
  const long = await reported(
    { tenant },
    many(2, "x".repeat(1_000), (i) => `${i}`),
  );
  expect(long.report.senders.tenants[0]!.tenant).toHaveLength(255);
  const hidden = await reported(
    { tenant, redact: (text) => text.replace("acme", "…") },
    many(2, "acme", (i) => `${i}`),
  );
  expect(hidden.report.senders.tenants).toEqual([{ tenant: "…", count: 2 }]);
});

it("a bad option is refused, by name", () => {
  expect(() => new Watchdog({ tenant: "customer" as never })).toThrow(/tenant must be a function/);
});

it("a name of another line is no line of the report", () => {
  const senders: Senders = { sampled: 2, tenants: [{ tenant: "a\nWHY x", count: 2 }], correlationIds: [] };
  expect(senderLines(senders)).toEqual(["FROM tenant a\\u000aWHY x 100 %, of the 2 that come next"]);
});
