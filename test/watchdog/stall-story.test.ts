import { expect, it } from "vitest";
import type { StackFrame, StackSnapshot, Stall } from "../../src/stall-monitor/stall.js";
import { makeStory } from "../../src/stall-monitor/thread/story.js";

const FILE = "/app/orders.js";
const frame = (functionName: string | undefined, line: number): StackFrame => ({
  functionName,
  file: FILE,
  line,
  column: 1,
  isInternal: false,
});

/** What is told of a stall of 500 ms that was seen at once, near its end, and of which there are samples. */
async function told(seen: readonly StackFrame[], sampled: readonly StackFrame[]): Promise<Stall> {
  const snapshot: StackSnapshot = { span: [490, 495], stack: [...seen], task: undefined };
  const story = makeStory({
    now: () => 490,
    pulse: { since: 0, forMs: 500, tick: () => "ended", forget: () => {} },
    inquiry: {
      ask: (expression) => Promise.resolve(expression.endsWith("snapshot()") ? snapshot : sampled),
      close: () => {},
    },
    sampler: {
      isOn: true,
      start: () => Promise.resolve(),
      take: () => Promise.resolve([{ nodes: [], startTime: 0, endTime: 0 }]),
      stop: () => {},
    },
    heaviest: () => ({ samples: 4, stack: [], isGarbageCollection: false }),
    answers: "main",
    blind: (error) => {
      throw error;
    },
    told: () => {},
    looked: () => {},
  });
  story.look();
  await Promise.resolve();
  return story.end();
}

it("is not what was seen when the native call had just returned, though that is an unnamed function of the same file", async () => {
  const stall = await told([frame(undefined, 76)], [frame("parseBigText", 55), frame(undefined, 76)]);
  expect(stall.where).toMatchObject({ functionName: "parseBigText", line: 55 });
});

it("is what was seen where the samples are of that function, too: it has the line", async () => {
  const stall = await told(
    [frame("spin", 12), frame("handle", 30)],
    [frame("spin", 10), frame("handle", 28)],
  );
  expect(stall.where).toMatchObject({ functionName: "spin", line: 12 });
});

it("is what was seen of a function whose name the profiler does not know", async () => {
  const stall = await told([frame("named later", 12)], [frame(undefined, 10)]);
  expect(stall.where).toMatchObject({ functionName: "named later", line: 12 });
});
