import promClient from "prom-client";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { FifoQueue, instrument, PriorityQueue } from "../../src/index.js";
import { registerWith } from "../../src/prom-client.js";
import { INSTRUMENTS, type InstrumentName } from "../../src/telemetry/metrics/instruments.js";
import { metricProducer } from "../../src/telemetry/metrics/metric-producer.js";
import { Scrapes } from "../../src/telemetry/metrics/scrapes.js";
import { allSeries, type QueueSeries } from "../../src/telemetry/metrics/series.js";
import { slices } from "../../src/telemetry/metrics/slices.js";
import { pointsInText } from "../../src/telemetry/metrics/text.js";
import { FakeClock } from "../../src/testing/fake-clock.js";

const QUEUES = 200;
const NAMES = Object.keys(INSTRUMENTS) as InstrumentName[];
const kept: object[] = [];

beforeAll(() => {
  for (let i = 0; i < QUEUES; i++) {
    const queue = new PriorityQueue<number>({ capacity: 9, tiers: { a: 0, b: 5 } });
    kept.push(instrument(queue, { name: `slices-${i}`, sla: { default: { targetMs: 100 } } }));
  }
});

afterEach(() => void vi.restoreAllMocks());

/** Counts how often anything of a queue is looked at. */
function countLooks(): () => number {
  let looks = 0;
  for (const series of allSeries.values()) {
    const { alive, histograms, tells } = series;
    const count = <F extends (...args: never[]) => unknown>(method: F) =>
      function (this: QueueSeries, ...args: Parameters<F>) {
        looks++;
        return method.apply(this, args) as ReturnType<F>;
      } as F;
    Object.assign(series, { alive: count(alive), histograms: count(histograms), tells: count(tells) });
  }
  return () => looks;
}

/** Every slice is over at once: counts the turns that the event loop gets. */
function countTurns(): () => number {
  vi.spyOn(slices, "isOver", "get").mockReturnValue(true);
  const next = vi.spyOn(slices, "next");
  return () => next.mock.calls.length;
}

describe("however many queues there are,", () => {
  it("a piece of text is made from a few of them, also where they have none of its points", () => {
    const looks = countLooks();
    for (const name of NAMES) {
      let before = looks();
      let pieces = 0;
      for (const _ of pointsInText(name, 'scope="s"')) {
        // Of each of 16 queues some things are looked at several times, such as workers by state.
        expect(looks() - before).toBeLessThanOrEqual(16 * 10);
        before = looks();
        pieces++;
      }
      expect(pieces).toBeGreaterThanOrEqual(QUEUES / 16);
    }
  });

  it("a metric producer gives way after each of them, if its slice is over", async () => {
    const turns = countTurns();
    const { resourceMetrics, errors } = await metricProducer().collect();
    expect(errors).toEqual([]);
    expect(resourceMetrics.scopeMetrics[0]!.metrics.length).toBeGreaterThan(10);
    expect(turns()).toBeGreaterThanOrEqual(NAMES.length * QUEUES);
  });

  it("so does a registry of prom-client, which asks for all metrics at once", async () => {
    const registry = new promClient.Registry();
    const registration = registerWith(registry);
    const turns = countTurns();
    expect(await registry.getMetricsAsJSON()).toHaveLength(NAMES.length);
    expect(turns()).toBeGreaterThanOrEqual(NAMES.length * QUEUES);
    registration.unregister();
  });

  it("and all that wait for a turn get the same one", () => {
    const turn = slices.next();
    expect(slices.next()).toBe(turn);
    return turn.then(() => expect(slices.next()).not.toBe(turn));
  });
});

describe("an answer of many pieces", () => {
  it("gives way after each that is written, if its slice is over, however fast it is read", async () => {
    const pieces = Array.from({ length: 50 }, (_, i) => Buffer.from(`${i}\n`));
    const written: unknown[] = [];
    const ended = new Promise<void>((resolve) => {
      const response = {
        req: { socket: { destroyed: false } },
        writableEnded: false,
        writeHead: () => response,
        write: (piece: unknown) => written.push(piece) > 0,
        end: (piece: unknown) => {
          written.push(piece);
          resolve();
        },
      };
      const scrapes = new Scrapes(async () => pieces);
      scrapes.answer(response as never);
    });
    const turns = countTurns();
    await ended;
    expect(written).toEqual(pieces);
    expect(turns()).toBe(pieces.length - 1);
  });
});

it("pieces of one scrape stay as they are while another one is made", () => {
  const one = instrument(new FifoQueue<number>({ clock: new FakeClock() }), { name: "slices-x" });
  void one.put(1);
  const text = (pieces: Iterable<Uint8Array>) => Buffer.concat([...pieces]).toString();
  const alone = NAMES.map((name) => text(pointsInText(name, "")));
  const both = NAMES.map((name) => {
    const first: Uint8Array[] = [];
    const second: Uint8Array[] = [];
    const other = pointsInText(name, "")[Symbol.iterator]();
    for (const piece of pointsInText(name, "")) {
      first.push(piece);
      const { value, done } = other.next();
      if (!done) second.push(value);
    }
    for (let next = other.next(); !next.done; next = other.next()) second.push(next.value);
    return [text(first), text(second)];
  });
  expect(both).toEqual(alone.map((each) => [each, each]));
});
