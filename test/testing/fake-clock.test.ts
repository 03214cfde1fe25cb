import { describe, expect, it, vi } from "vitest";
import { FakeClock } from "../../src/testing.js";

describe("a FakeClock", () => {
  it("fires timers at their own instants, in order, those set on the way included", () => {
    const clock = new FakeClock();
    const fired: [string, number][] = [];
    clock.setTimeout(() => fired.push(["second", clock.now()]), 20);
    clock.setTimeout(() => {
      fired.push(["first", clock.now()]);
      clock.setTimeout(() => fired.push(["third", clock.now()]), 15);
    }, 10);
    const cleared = clock.setTimeout(() => fired.push(["never", clock.now()]), 1);
    clock.clearTimeout(cleared);
    clock.advance(25);
    expect(fired).toEqual([
      ["first", 1_010],
      ["second", 1_020],
      ["third", 1_025],
    ]);
    expect([clock.now(), clock.wallNow(), clock.pending]).toEqual([1_025, 1_700_000_000_025, 0]);
  });

  it("lets promises set timers in between, also under fake timers", async () => {
    vi.useFakeTimers();
    const clock = new FakeClock({ now: 0, wallNow: 0 });
    const at: number[] = [];
    const wait = (ms: number) => new Promise<void>((resolve) => clock.setTimeout(resolve, ms));
    const chain = async () => {
      for (let i = 0; i < 3; i++) {
        await wait(100);
        at.push(clock.now());
      }
    };
    void chain();
    await clock.advanceAsync(1_000);
    expect(at).toEqual([100, 200, 300]);
    expect(clock.now()).toBe(1_000);
    vi.useRealTimers();
  });

  it("takes only times", async () => {
    const clock = new FakeClock();
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, "1"]) {
      expect(() => clock.advance(ms as never)).toThrow(/^ms must be/);
      expect(() => clock.block(ms as never)).toThrow(/^ms must be/);
      await expect(clock.advanceAsync(ms as never)).rejects.toThrow(/^ms must be/);
    }
    expect(() => new FakeClock({ now: Number.NaN })).toThrow(/^now must be/);
  });
});
