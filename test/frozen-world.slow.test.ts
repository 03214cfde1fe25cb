import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const DIST = new URL("../dist/index.js", import.meta.url).href;

/** As SES does it: to assign what the prototype has fails. */
const FREEZE = `
for (const each of [Error, Object, Function, Array, Promise, Map, Set, WeakMap, AbortSignal, AbortController, EventTarget, Date, Reflect, Symbol]) {
  Object.freeze(each);
  if (each.prototype) Object.freeze(each.prototype);
}`;

const PROGRAM = `
const { FifoQueue, InvalidOptionTypeError, QueueTimeoutError, Watchdog, WorkerPool, instrument, withCorrelationId } = await import(${JSON.stringify(DIST)});
const { default: PQueue } = await import("p-queue");
const told = { names: [], warnings: [], errors: [], breaches: 0, limit: undefined };
process.on("warning", ({ name }) => name === "ExperimentalWarning" || told.warnings.push(name));
const queue = instrument(new FifoQueue(), { name: "q", sla: { default: { targetMs: 20 } } });
const dog = new Watchdog({ everyMs: 20, stallThresholdMs: 100, stackEvery: 1, print: false }).watch(queue);
dog.on("error", ({ message }) => told.errors.push(message));
dog.on("breach", () => told.breaches++);
const stalled = new Promise((resolve) => dog.on("stall", resolve));
dog.start();
const held = setInterval(() => {}, 1_000); // a watchdog holds no process
const { stackTraceLimit } = Error;
for (let i = 0; i < 3; i++) await withCorrelationId("id", () => queue.put(i));
await new Promise((resolve) => dog.once("breach", resolve));
const pool = new WorkerPool(queue, (item) => { if (item === 1) throw new TypeError("no"); });
await queue.join();
await new FifoQueue().get({ timeoutMs: 5 }).catch((error) => told.names.push(error.name, error instanceof QueueTimeoutError));
try { new FifoQueue({ onDrop: 1 }); } catch (error) { told.names.push(error.name, error instanceof InvalidOptionTypeError); }
await instrument(new PQueue(), { name: "p" }).add(async () => {});
// The thread may take a while to start, so it blocks until it is seen.
for (let isSeen = false; !isSeen; ) {
  const until = Date.now() + 300;
  while (Date.now() < until);
  isSeen = await Promise.race([stalled.then(() => true), new Promise((resolve) => setTimeout(resolve, 200, false))]);
}
told.limit = Error.stackTraceLimit === stackTraceLimit;
dog.report();
await pool.drain();
await dog.stop();
clearInterval(held);
console.log(JSON.stringify(told));
`;

it.each([
  ["--frozen-intrinsics", ["--frozen-intrinsics"], ""],
  ["Object.freeze, as SES does it", [], FREEZE],
  [
    "--disable-proto=throw and no code from strings",
    ["--disable-proto=throw", "--disallow-code-generation-from-strings"],
    "",
  ],
])("where the world is frozen by %s, all is as ever", { timeout: 180_000 }, async (_, options, before) => {
  const args = [...options, "--input-type=module", "-e", before + PROGRAM];
  const cwd = new URL("..", import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 150_000 });
  expect(JSON.parse(stdout)).toEqual({
    names: ["QueueTimeoutError", true, "InvalidOptionTypeError", true],
    warnings: ["QueuescopeWarning"],
    errors: [],
    breaches: expect.any(Number),
    limit: true,
  });
});
