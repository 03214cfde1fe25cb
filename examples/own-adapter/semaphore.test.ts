import { it } from "node:test"; // or from "vitest", or mocha's
import { Semaphore } from "async-mutex";
import { adapterConformance } from "queuescope/testing";
import { semaphore } from "./semaphore.js";

const cases = adapterConformance({
  adapter: semaphore,
  tells: ["takes", "outcomes", "durations", "shutdown"],
  handlers: "in-context",
  results: "promised",
  priorities: "highest-first",
  size: "unknown",
  make: ({ concurrency }) => new Semaphore(concurrency),
  put: (queue, item, { handle, priority }) => queue.runExclusive(() => handle(item), 1, priority),
  clear: (queue) => queue.cancel(),
});
for (const { name, run } of cases) it(name, run);
