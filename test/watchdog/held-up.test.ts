import { describe, expect, it } from "vitest";
import { eventLoopBlocked, gcPressure, processorStarved } from "../../src/checks.js";
import type { Check, Situation, Verdict } from "../../src/watchdog/situation.js";
import { processor, situation } from "./situations.js";

function verdict(check: Check, changes: Partial<Situation>): Verdict | undefined {
  const found = check.look(situation(changes));
  return typeof found === "object" ? found : undefined;
}

const stall = { durationMs: 800, where: "parse (a.js:3)", isNative: false, correlationId: undefined };

describe("what came in after the event loop was blocked", () => {
  const after = {
    stalls: [{ ...stall, endedMsAgo: 1_500 }],
    pile: { forMs: 1_600, lateMs: 0, starvedMs: 0 },
  };

  it("is late because of that, while what it waits behind is from then", () => {
    expect(verdict(eventLoopBlocked(), after)).toMatchObject({
      confidence: 0.87,
      sentence:
        "the event loop was blocked for 800 ms (1 stall) until 1.5 s ago, and what that held up is not worked off: 20 items wait, the oldest for 1.2 s, mostly in parse (a.js:3)",
    });
  });

  it("is not, once the pile began later, or by a stall that was short beside its wait", () => {
    expect(verdict(eventLoopBlocked(), { ...after, pile: { ...after.pile, forMs: 1_400 } })).toBeUndefined();
    expect(verdict(eventLoopBlocked(), { ...after, waitMs: 1_601 })).toBeUndefined();
  });

  it("is late by looks that were, where no thread saw the stall, which is sure from an SLA on", () => {
    const late = (lateMs: number) =>
      verdict(eventLoopBlocked(), { pile: { ...after.pile, lateMs } })?.confidence;
    expect([late(999), late(1_000)]).toEqual([0.5, 0.87]);
    expect(verdict(eventLoopBlocked(), { pile: { ...after.pile, lateMs: 800 } })?.sentence).toBe(
      "the event loop was blocked for 800 ms, and what that held up is not worked off: 20 items wait, the oldest for 1.2 s",
    );
  });
});

describe("a process without a processor", () => {
  const starved = { starvedMs: 600, processorShare: 0.09 };

  it("is told of whether it was ready to run, or suspended, as far as the system tells", () => {
    const how = (changes: Parameters<typeof processor>[0]) =>
      verdict(processorStarved(), { ...starved, processor: processor(changes) })!.sentence;
    expect(how({ queuedMs: undefined })).toBe(
      "the process did not run for 600 ms of the 1.2 s wait, and had 9 % of a CPU: other processes use the processor, or this one was suspended",
    );
    expect(how({ queuedMs: 500 })).toMatch(/CPU: others use it$/);
    expect(how({ queuedMs: 500, throttledShare: 0.9 })).toMatch(
      /: its CPU quota was used up in 90 % of the periods$/,
    );
    expect(how({ queuedMs: 10 })).toMatch(/: it was suspended, or waited in a call that blocks$/);
    expect(verdict(processorStarved(), { ...starved, starvedMs: 599 })).toBeUndefined();
  });

  it("did not starve while its event loop is known to have waited in a call", () => {
    const called = { ...starved, stalls: [{ ...stall, endedMsAgo: 0, durationMs: 500 }] };
    expect(verdict(processorStarved(), called)).toBeUndefined();
  });

  it("makes late what comes in afterwards", () => {
    expect(verdict(processorStarved(), { pile: { forMs: 2_000, lateMs: 0, starvedMs: 700 } })).toMatchObject({
      confidence: 0.83,
      sentence: expect.stringMatching(
        /^the process did not run for 700 ms before, and what that held up is not/,
      ),
    });
  });

  it("may run all the time, and get too little", () => {
    const crowded = processor({ windowMs: 2_000, ranMs: 700, queuedMs: 1_200 });
    expect(verdict(processorStarved(), { processor: crowded })?.sentence).toBe(
      "of 2.0 s the event loop's thread ran for 700 ms and was ready to run for 1.2 s more, without a processor: others use it; more workers would not help",
    );
  });

  it("is not blocked by itself where other threads of the process have the processor", () => {
    const crowded = processor({ windowMs: 2_000, ranMs: 280, queuedMs: 1_080 });
    const busy = { loopUtilization: 1, processorShare: 1, processor: crowded };
    expect(verdict(processorStarved(), busy)?.confidence).toBe(0.84);
    expect(verdict(eventLoopBlocked(), busy)).toBeUndefined();
    const alone = { ...busy, processor: processor({ windowMs: 2_000, ranMs: 1_900, queuedMs: 10 }) };
    expect(verdict(processorStarved(), alone)).toBeUndefined();
    expect(verdict(eventLoopBlocked(), alone)?.confidence).toBe(0.83);
  });

  it("is not starved where it hardly wants one, or the system doesn't tell", () => {
    const idle = processor({ windowMs: 2_000, ranMs: 50, queuedMs: 400 });
    expect(verdict(processorStarved(), { processor: idle })).toBeUndefined();
    const short = processor({ windowMs: 200, ranMs: 20, queuedMs: 170 });
    expect(verdict(processorStarved(), { waitMs: 200, processor: short })).toBeUndefined();
    expect(
      verdict(processorStarved(), { waitMs: 0, processor: processor({ ranMs: 20, queuedMs: 1_170 }) }),
    ).toBe(undefined);
    expect(
      verdict(processorStarved(), { processor: processor({ ranMs: undefined, queuedMs: undefined }) }),
    ).toBe(undefined);
  });
});

describe("garbage", () => {
  it("is what blocked a loop whose heap is full, where most of the block was that", () => {
    const blocked = { stalls: [{ ...stall, endedMsAgo: 0 }] };
    const some = {
      ...blocked,
      processor: processor({
        windowMs: 3_000,
        gcMs: 400,
        heapBytes: 95 * 2 ** 20,
        heapLimitBytes: 100 * 2 ** 20,
      }),
    };
    expect(verdict(gcPressure(), some)).toMatchObject({
      confidence: 0.98,
      sentence: "garbage was collected for 400 ms of 3.0 s (13 %); the heap has 95 MB of at most 100 MB",
    });
    expect(
      verdict(gcPressure(), { ...blocked, processor: { ...some.processor, gcMs: 399 } }),
    ).toBeUndefined();
  });

  it("comes after the call that makes it, such as JSON.parse of a big text, while the heap has room", () => {
    const parsing = (gcMs: number) => ({
      stalls: [{ ...stall, endedMsAgo: 0, where: "parse (a.js:1)", isNative: true }],
      processor: processor({ windowMs: 1_200, gcMs, heapBytes: 6e8, heapLimitBytes: 4e9 }),
    });
    expect(verdict(gcPressure(), parsing(719))?.confidence).toBe(0.89);
    expect(verdict(eventLoopBlocked(), parsing(719))?.confidence).toBe(0.97);
    expect(verdict(gcPressure(), parsing(720))?.confidence).toBe(0.98);
  });

  it("takes a third of the time, in collections that are too short to be stalls", () => {
    expect(verdict(gcPressure(), { processor: processor({ gcMs: 360 }) })?.confidence).toBe(0.89);
    expect(verdict(gcPressure(), { processor: processor({ gcMs: 359 }) })).toBeUndefined();
    const crowded = processor({ gcMs: 500, ranMs: 300, queuedMs: 300 });
    expect(verdict(gcPressure(), { processor: crowded })).toBeUndefined();
  });
});
