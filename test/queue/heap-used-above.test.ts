import { describe, expect, it } from "vitest";
import { heapUsedAbove } from "../../src/queue/heap-used-above.js";

describe("heapUsedAbove", () => {
  it("holds above a ratio that every process exceeds, and not above one that none does", () => {
    expect(heapUsedAbove(1e-9)()).toBe(true);
    expect(heapUsedAbove(1 - 1e-9)()).toBe(false);
  });

  it.each([0, 1, -0.5, 1.5, Number.NaN, "0.5", null, undefined])("refuses a ratio of %s", (ratio) => {
    expect(() => heapUsedAbove(ratio as number)).toThrow(
      expect.objectContaining({ option: "ratio", value: ratio }),
    );
  });
});
