import { describe, expect, it } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { errorOf } from "./conformance.js";

describe.each([
  ["FifoQueue", () => new FifoQueue<number>()],
  ["LifoQueue", () => new LifoQueue<number>()],
])("a %s", (_, make) => {
  it("takes neither priority nor tier", async () => {
    const queue = make();
    for (const option of ["priority", "tier"]) {
      const error = await errorOf(queue.put(1, { [option]: 0 }));
      expect(error).toMatchObject({ name: "InvalidOptionTypeError", option, value: 0 });
      expect(() => queue.tryPut(1, { [option]: 0 } as never)).toThrow(TypeError);
      expect(queue.tryPut(1, { [option]: undefined } as never)).toBe(true);
    }
  });
});
