import { EventEmitter } from "node:events";
import promClient from "prom-client";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { turn } from "../../src/base/real-time.js";
import { instrument, PriorityQueue } from "../../src/index.js";
import { registerWith } from "../../src/prom-client.js";
import { INSTRUMENTS, type InstrumentName } from "../../src/telemetry/metrics/instruments.js";
import { metricProducer } from "../../src/telemetry/metrics/metric-producer.js";
import { Scrapes } from "../../src/telemetry/metrics/scrapes.js";
import { allSeries, type QueueSeries } from "../../src/telemetry/metrics/series.js";
import { slices } from "../../src/telemetry/metrics/slices.js";
import { pointsInText } from "../../src/telemetry/metrics/text.js";
import { TextPages } from "../../src/telemetry/metrics/text-pages.js";

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
      for (const _ of pointsInText(name, 'scope="s"', new TextPages())) {
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

/** As much of a response as scrapes need, which is read at once. */
class Response extends EventEmitter {
  readonly req = { socket: { destroyed: false } };
  writableEnded = false;
  readonly written: unknown[] = [];
  readonly isEnded = new Promise<void>((resolve) => this.once("ended", resolve));

  writeHead(): this {
    return this;
  }

  write(piece: unknown): boolean {
    return this.written.push(piece) > 0;
  }

  end(piece: unknown): void {
    this.written.push(piece);
    this.emit("ended");
  }
}

describe("an answer of many pieces", () => {
  const pieces = Array.from({ length: 50 }, (_, i) => Buffer.from(`${i}\n`));

  function answered(release: () => void): Response {
    const response = new Response();
    new Scrapes({ text: async () => ({ pieces, release }) }).answer(response as never);
    return response;
  }

  it("gives way after each that is written, if its slice is over, however fast it is read", async () => {
    const response = answered(() => {});
    const turns = countTurns();
    await response.isEnded;
    expect(response.written).toEqual(pieces);
    expect(turns()).toBe(pieces.length - 1);
  });

  it.each(["finish", "close"])("gives its pieces back at its %s, and no sooner", async (end) => {
    const released = vi.fn();
    const response = answered(released);
    await response.isEnded;
    await turn();
    expect(released).not.toHaveBeenCalled();
    response.emit(end);
    await turn();
    expect(released).toHaveBeenCalledTimes(1);
  });
});

describe("pages of text", () => {
  const PAGE = 131_072;

  function written(): TextPages {
    const text = new TextPages();
    for (let i = 0; i < 3; i++) {
      text.reserve(PAGE);
      text.used = PAGE;
    }
    return text;
  }
  const buffers = (text: TextPages) => [...text.taken()].map(({ buffer }) => buffer);

  it("are used again when they were given back, and not before", () => {
    const one = written();
    const other = written();
    const first = buffers(one);
    expect(new Set([...first, ...buffers(other)]).size).toBe(6);
    one.release();
    expect(buffers(written()).toSorted()).toEqual(first.toSorted());
  });

  it("are kept as many as the last text needed", () => {
    const both = [written(), written()];
    const known = new Set(both.flatMap(buffers));
    for (const each of both) each.release();
    const next = [written(), written()].flatMap(buffers);
    expect(next.filter((buffer) => known.has(buffer))).toHaveLength(3);
  });

  it("grow where something takes more than one", () => {
    const text = new TextPages();
    text.reserve(2 * PAGE);
    expect(text.page.length).toBe(2 * PAGE);
    text.release();
  });
});
