import { beforeAll, describe, expect, it } from "vitest";
import { INSTRUMENTS, type InstrumentName } from "../../src/telemetry/metrics/instruments.js";
import { OF_BROKERS_ONLY } from "../support/of-brokers.js";
import { OrderService } from "./order-service.js";

/** What the demo can't show, and why. */
const ABSENT: Partial<Record<InstrumentName, string>> = Object.fromEntries(
  OF_BROKERS_ONLY.map((name) => [name, "it has no broker"]),
);

let text = "";

beforeAll(async () => {
  const service = await OrderService.start();
  expect((await service.post({ power_user: true })).status).toBe(202);
  await service.eventually(async () => {
    expect(await service.value("queue_completed_total")).toBe(1);
  });
  text = await service.scrape();
});

describe("after one order, the demo's /metrics", () => {
  it.each(Object.entries(INSTRUMENTS))("has a series of %s", (name, { kind }) => {
    const suffix = { gauge: "", counter: "_total", histogram: "_count" }[kind];
    const series = new RegExp(`^${name.replaceAll(".", "_")}${suffix}[{ ]`, "m");
    if (ABSENT[name as InstrumentName] === undefined) expect(text).toMatch(series);
    else expect(text).not.toMatch(series);
  });

  it.each(["nodejs_eventloop_utilization", "v8js_memory_heap_used"])(
    "has a series of %s, the process's",
    (name) => {
      expect(text).toMatch(new RegExp(`^${name}[{ ]`, "m"));
    },
  );
});
