import { describe, it } from "vitest";
import { rehearse } from "./rehearsal.js";

describe("any sequence of calls, aborts, timeouts and shutdowns does what a plain array would do", () => {
  it("in a FifoQueue", () => rehearse("fifo"), 60_000);
  it("in a LifoQueue", () => rehearse("lifo"), 60_000);
  it("in a PriorityQueue", () => rehearse("priority"), 60_000);
  it("in a PriorityQueue ordered by deadline", () => rehearse("deadline"), 60_000);
});
