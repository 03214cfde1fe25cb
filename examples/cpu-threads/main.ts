// Work that keeps a processor busy goes into threads: the event loop stays free, each task knows the request that it belongs to, and a
// thread that crashes fails its own task and no other.
import { FifoQueue, WorkerPool } from "queuescope";
import { inThreads } from "queuescope/threads";
import type { Range } from "./primes.js";

const countPrimes = inThreads<Range, string>(new URL("./primes.js", import.meta.url), { threads: 2 });

const ranges = new FifoQueue<Range>();
const answers: string[] = [];
const pool = new WorkerPool(ranges, async (range, task) => answers.push(await countPrimes(range, task)), {
  concurrency: 2,
});
pool.on("failed", ({ error, task }) => answers.push(`${task.correlationId}: ${error}`));

let turns = 0;
const turning = setInterval(() => turns++);
for (const [i, user] of ["ann", "bob", "cem", "dee"].entries()) {
  const from = i * 200_000;
  const to = user === "cem" ? from - 1 : from + 200_000;
  await ranges.put({ from, to }, { correlationId: `request-of-${user}` });
}
await pool.drain();
await countPrimes.close();
clearInterval(turning);

for (const answer of answers.sort()) console.log(answer);
console.log(turns > 0 ? "Meanwhile the event loop kept turning." : "The event loop was blocked.");
