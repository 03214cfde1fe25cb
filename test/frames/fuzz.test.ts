import { expect, it } from "vitest";
import { firstDifference } from "./fuzz/differences.js";

const PROGRAMS = 150;

it("random async programs behave the same with frames", async () => {
  // Others each day, the same all day.
  const seed = Math.floor(Date.now() / 86_400_000) * 1_000;
  expect(await firstDifference(seed, PROGRAMS)).toBeUndefined();
});
