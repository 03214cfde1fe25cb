import { describe, expect, it } from "vitest";
import { Figures } from "../../src/inspector/hub/figures.js";
import { judged } from "../../src/inspector/hub/health.js";
import { BOUNDS } from "../../src/telemetry/metrics/instruments.js";
import { TierSeries } from "../../src/telemetry/metrics/queue-series.js";

function look(
  facts: Partial<Figures>,
  rates: Partial<Omit<Parameters<typeof judged>[0], "figures">> = {},
  oldestMs = 0,
) {
  const figures = Object.assign(new Figures(), facts);
  const sla = { targetMs: 1_000, objective: 0.99 };
  figures.tiers.set(new TierSeries("orders", "vip", new Map(), true, BOUNDS), { depth: 1, oldestMs, sla });
  figures.slaUsed = oldestMs / sla.targetMs;
  figures.oldestMs = oldestMs;
  return judged({
    figures,
    failedPerSecond: 0,
    endedPerSecond: 0,
    droppedPerSecond: 0,
    outPerSecond: 1,
    ...rates,
  });
}

describe("a queue", () => {
  it("is idle while nothing waits and nothing is in flight, and else ok", () => {
    expect(look({ depth: 0, inFlight: 0 })).toEqual({ health: "idle", reasons: [], rank: 0 });
    expect(look({ depth: 0, inFlight: 1 })).toMatchObject({ health: "ok", reasons: [] });
    expect(look({ depth: 5 })).toMatchObject({ health: "ok", reasons: [] });
  });

  it("is late once an item has waited longer than its SLA", () => {
    expect(look({ depth: 5 }, {}, 1_000)).toMatchObject({ health: "warning" });
    expect(look({ depth: 5 }, {}, 1_001)).toMatchObject({
      health: "breach",
      reasons: ["the oldest item of tier vip has waited 1.0 s, its SLA is 1.0 s"],
    });
  });

  it.each([
    [{ depth: 5 }, {}, 800, "the oldest item has used 80 % of its SLA"],
    [{ depth: 90, capacity: 100 }, {}, 0, "it is 90 % full: 90 of 100"],
    [{ depth: 2, paused: "the pool is paused" }, {}, 0, "the pool is paused, and 2 items wait"],
    [{ waitingPuts: 3 }, {}, 0, "3 producers blocked"],
    [{ workers: { idle: 0, processing: 1, backoff: 0, stalled: 1, stopped: 0 } }, {}, 0, "1 worker stalled"],
    [{ openBreakers: ["bank"] }, {}, 0, "the breaker of gate bank is open"],
    [{}, { failedPerSecond: 1, endedPerSecond: 10 }, 0, "1.0/s fail"],
    [{}, { droppedPerSecond: 2 }, 0, "2.0/s dropped"],
  ] as const)("is about to be wrong: %o, %o", (facts, rates, oldestMs, reason) => {
    expect(look(facts as never, rates, oldestMs)).toMatchObject({ health: "warning", reasons: [reason] });
  });

  it("of which nothing is taken for long is strange, but not for a moment", () => {
    const taken = { outPerSecond: 0 };
    expect(look({ depth: 1 }, taken, 500).health).toBe("ok");
    const figures = Object.assign(new Figures(), { depth: 1, oldestMs: 11_000 });
    const now = { figures, failedPerSecond: 0, endedPerSecond: 0, droppedPerSecond: 0, ...taken };
    expect(judged(now).reasons).toEqual(["nothing is taken, and 1 item waits"]);
  });

  it("that is late comes before one that is only warned of, however little it is late", () => {
    const late = look({ depth: 1 }, {}, 1_001).rank;
    const warned = look({ depth: 1_000_000, paused: "the pool is paused" }, {}, 990).rank;
    const busy = look({ depth: 1_000_000 }, {}, 700).rank;
    expect(late).toBeGreaterThan(warned);
    expect(warned).toBeGreaterThan(busy);
    expect(look({ depth: 1 }, {}, 9_000).rank).toBeGreaterThan(late);
  });
});
