import { describe, it } from "vitest";
import { runAgainstModel } from "./model-runner.js";

describe("any sequence of calls, aborts, timeouts and shutdowns does what a plain array would do", () => {
  it("in a FifoQueue", () => runAgainstModel("fifo"));
  it("in a LifoQueue", () => runAgainstModel("lifo"));
  it("in a PriorityQueue", () => runAgainstModel("priority"));
  it("in a PriorityQueue ordered by deadline", () => runAgainstModel("deadline"));
});
