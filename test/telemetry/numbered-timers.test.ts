import { afterEach, expect, it, vi } from "vitest";
import { forgetProcessWide } from "../support/forget-process-wide.js";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  forgetProcessWide();
});

/** As in a browser, and so in jsdom. */
function numberTimers(): void {
  const timers = new Map<number, NodeJS.Timeout>();
  for (const name of ["setTimeout", "setInterval"] as const) {
    const own = globalThis[name];
    vi.stubGlobal(name, (callback: () => void, ms: number) => {
      timers.set(timers.size + 1, own(callback, ms));
      return timers.size;
    });
  }
  for (const name of ["clearTimeout", "clearInterval"] as const) {
    const own = globalThis[name];
    vi.stubGlobal(name, (id: number) => own(timers.get(id)));
  }
}

it.each([
  ["numbers, as those of jsdom", numberTimers],
  ["fakes that are not moved on", () => void vi.useFakeTimers()],
])(
  "where timers are %s, metrics go to the provider of the metrics API, and a later one is looked for",
  async (_, replace) => {
    replace();
    forgetProcessWide();
    const { FifoQueue, instrument } = await import("../../src/index.js");
    const { processWide } = await import("../../src/base/process-wide.js");
    const { MetricCapture } = await import("../support/telemetry-capture.js");
    const capture = new MetricCapture("plain");
    const queue = instrument(new FifoQueue<number>(), { name: "numbered" });
    await queue.put(1);
    expect((await capture.collect()).number("queue.enqueued", { "queue.name": "numbered" })).toBe(1);
    expect(processWide.plainExport.timer).toBeDefined();
    await capture.stop();
  },
);
