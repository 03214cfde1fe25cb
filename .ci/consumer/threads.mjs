import assert from "node:assert/strict";
import { FifoQueue, WorkerPool } from "queuescope";
import { inThreads } from "queuescope/threads";

const answers = [];
const inThread = inThreads(new URL("./in-thread.mjs", import.meta.url), { threads: 1 });
const numbers = new FifoQueue();
const pool = new WorkerPool(numbers, async (n, task) => answers.push(await inThread(n, task)));
await numbers.put(21, { correlationId: "a-request" });
await pool.drain();
assert.deepEqual(answers, ["42 for a-request"]);
// Nothing is closed: the process ends all the same.
