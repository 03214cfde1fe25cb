import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Stalls } from "../../src/watchdog/stalls.js";

/** Stalls are measured by the real clock, which fake timers don't reach; here the test moves it. */
vi.mock("../../src/base/real-time.js", async (original) => ({
  ...(await original<typeof import("../../src/base/real-time.js")>()),
  realNow: () => performance.now(),
  realWallNow: () => Date.now(),
}));

const MINUTE_MS = 60_000;

function noStalls(reportDir?: string) {
  const tell = { stall() {}, breach() {}, error() {} };
  return new Stalls(() => [], { thresholdMs: 500, reportDir }, tell);
}

describe("a stall", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
  });

  it("is remembered for five minutes", () => {
    const stalls = noStalls();
    stalls.cameLate(2_000, performance.now());
    vi.advanceTimersByTime(4 * MINUTE_MS);
    expect(stalls.now()).toMatchObject([{ durationMs: 2_000, endedMsAgo: 4 * MINUTE_MS }]);
    vi.advanceTimersByTime(MINUTE_MS);
    expect(stalls.now()).toEqual([]);
  });

  it("is another one than that before it", () => {
    const stalls = noStalls();
    const now = performance.now();
    stalls.cameLate(600, now);
    stalls.cameLate(1_500, now + 1_550);
    stalls.cameLate(1_400, now + 1_551);
    vi.advanceTimersByTime(2_000);
    expect(stalls.now().map(({ durationMs }) => durationMs)).toEqual([1_500, 600]);
  });

  it("is no later when the wall clock is set back", () => {
    const stalls = noStalls();
    stalls.cameLate(2_000, performance.now());
    vi.advanceTimersByTime(1_000);
    vi.setSystemTime(Date.now() - 60 * MINUTE_MS);
    expect(stalls.now()).toMatchObject([{ endedMsAgo: 1_000 }]);
  });
});

it("the thread finds the folder for what it writes, before there is any report", async () => {
  const folder = mkdtempSync(join(tmpdir(), "queuescope-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const stalls = noStalls(join(folder, "new", "reports"));
  stalls.start();
  await stalls.stop();
  expect(existsSync(join(folder, "new", "reports"))).toBe(true);
});
