// An adapter of one's own: who waits for a semaphore of async-mutex waits in a queue, too, unseen until now. What makes
// the adapter right is next to it, in semaphore.test.ts.
import { Semaphore } from "async-mutex";
import { instrument, metricProducer } from "queuescope";
import { semaphore } from "./semaphore.js";

const connections = instrument(new Semaphore(2), { name: "connections", adapter: semaphore });

const query = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms));
const queries = [50, 50, 50, 50, 50].map((ms) => connections.runExclusive(query(ms)));
const failing = connections.runExclusive(() => Promise.reject(new Error("no such table")), 1, 5);
const all = Promise.allSettled([...queries, failing]);

await new Promise((resolve) => setTimeout(resolve, 10));
await show("Two hold a connection, four wait for one:");
await all;
await show("All have had theirs:");

async function show(title: string): Promise<void> {
  console.log(title);
  const { resourceMetrics } = await metricProducer().collect();
  for (const { descriptor, dataPoints } of resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)) {
    for (const { value, attributes } of dataPoints) {
      const { "queue.name": _, ...more } = attributes;
      const words = Object.values(more).join(", ");
      if (typeof value === "object") console.log(`  ${descriptor.name} ${words}: ${value.count} measured`);
      else if (value > 0 && Number.isInteger(value)) console.log(`  ${descriptor.name} ${words}: ${value}`);
    }
  }
}
