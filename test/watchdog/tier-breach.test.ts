import { beforeEach, describe, expect, it } from "vitest";
import { TierBreach } from "../../src/watchdog/sampling/tier-breach.js";

let breach: TierBreach;
beforeEach(() => {
  breach = new TierBreach(1_000);
});

describe("a breach", () => {
  it("lasts from the first sample that is late to the first that is not", () => {
    expect(breach.observe(false, 10)).toBeUndefined();
    expect(breach.observe(true, 20)).toBe("began");
    expect(breach.observe(true, 30)).toBe("ongoing");
    expect(breach.observe(false, 40)).toBe("ended");
    expect(breach.lastedMs).toBe(20);
    expect(breach.observe(false, 50)).toBeUndefined();
  });

  it("that the stall monitor has seen ends with the next sample that is not late", () => {
    expect(breach.observeFromOutside(15, 20)).toBe(true);
    expect(breach.observe(false, 40)).toBe("ended");
    expect(breach.lastedMs).toBe(25);
  });

  it("that the stall monitor has seen, too, is the same one", () => {
    breach.observe(true, 20);
    expect(breach.observeFromOutside(15, 30)).toBe(true);
    expect(breach.observe(false, 40)).toBe("ended");
    expect(breach.lastedMs).toBe(20);
  });

  it("that has ended doesn't begin again when news of it comes late", () => {
    breach.observe(true, 20);
    breach.observe(false, 40);
    expect(breach.observeFromOutside(15, 30)).toBe(false);
    expect(breach.observe(false, 50)).toBeUndefined();
    expect(breach.observeFromOutside(55, 60)).toBe(true);
  });
});

describe("the decision on a breach", () => {
  const both = { count: true, report: true };
  const neither = { count: false, report: false };

  it("is to count and report it once, and to report it again after the interval", () => {
    expect(breach.decide("burst", 0)).toEqual(both);
    expect(breach.decide("burst", 900)).toEqual(neither);
    expect(breach.isDue(989)).toBe(false);
    expect(breach.isDue(1_000)).toBe(true);
    expect(breach.decide("burst", 999)).toEqual(neither);
    expect(breach.isDue(1_000)).toBe(true);
    expect(breach.decide("burst", 1_000)).toEqual({ count: false, report: true });
  });

  it("is to count and report it once more when its cause is found", () => {
    expect(breach.decide("unknown", 0)).toEqual(both);
    expect(breach.isDue(1)).toBe(true);
    expect(breach.decide("unknown", 1)).toEqual(neither);
    expect(breach.decide("burst", 2)).toEqual(both);
    expect(breach.decide("no-consumer", 3)).toEqual(neither);
  });

  it("is to report another cause that two looks in a row have found, and to count it, once in the interval", () => {
    breach.decide("under-capacity", 0);
    expect(breach.decide("poison-item", 10)).toEqual(neither);
    expect(breach.isDue(11)).toBe(true);
    expect(breach.decide("poison-item", 11)).toEqual({ ...both, corrects: "under-capacity" });
    expect(breach.reportedAs).toBe("poison-item");
    expect(breach.decide("under-capacity", 20)).toEqual(neither);
    expect(breach.decide("under-capacity", 21)).toEqual(neither);
    expect(breach.decide("under-capacity", 1_000)).toEqual({ ...both, corrects: "poison-item" });
  });

  it("is not corrected by another cause on top of one that is as sure as before", () => {
    breach.decide("no-consumer", 0);
    expect(breach.decide("event-loop-blocked", 10, true)).toEqual(neither);
    expect(breach.decide("event-loop-blocked", 20, true)).toEqual(neither);
    expect(breach.decide("event-loop-blocked", 30)).toEqual(neither);
    expect(breach.decide("event-loop-blocked", 40)).toEqual({ ...both, corrects: "no-consumer" });
  });

  it("is not to go by a single look, nor by one that found no cause", () => {
    breach.decide("under-capacity", 0);
    expect(breach.decide("burst", 10)).toEqual(neither);
    expect(breach.decide("under-capacity", 20)).toEqual(neither);
    expect(breach.decide("burst", 30)).toEqual(neither);
    expect(breach.decide("unknown", 40)).toEqual(neither);
    expect(breach.decide("burst", 50)).toEqual(neither);
  });

  it("is to count it when it comes back, and to report it at once only for another cause", () => {
    breach.decide("burst", 0);
    expect(breach.close()).toBe(true);
    expect(breach.decide("burst", 10)).toEqual({ count: true, report: false });
    expect(breach.close()).toBe(false);
    expect(breach.decide("no-consumer", 20)).toEqual(both);
    expect(breach.close()).toBe(true);
    expect(breach.decide("burst", 1_000)).toEqual(both);
  });
});
