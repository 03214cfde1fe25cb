// The same on Bun and on Deno.
import assert from "node:assert/strict";
import { currentCorrelationId, instrument, PriorityQueue, Watchdog, WorkerPool } from "queuescope";

const said = [];
const { write } = process.stderr;
process.stderr.write = (text, ...rest) => {
  said.push(String(text));
  return write.call(process.stderr, text, ...rest);
};

const orders = instrument(new PriorityQueue({ tiers: { vip: 0, regular: 10 } }), {
  name: "orders",
  sla: { default: { targetMs: 50 } },
});
const handled = [];
const pool = new WorkerPool(
  orders,
  async (order) => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    handled.push(`${order} for ${currentCorrelationId()}`);
  },
  { concurrency: 1 },
);
const watchdog = new Watchdog({ everyMs: 20 }).watch(orders).watch(pool);
const breached = new Promise((resolve) => watchdog.once("breach", resolve));
const hold = setTimeout(() => {}, 60_000);
watchdog.start();
await orders.put("a letter", { tier: "regular", correlationId: "one" });
await orders.put("a crown", { tier: "vip", correlationId: "two" });
assert.equal((await breached).queue, "orders");
await pool.drain();
await watchdog.stop();
new Watchdog().start();
clearTimeout(hold);
assert.deepEqual(handled, ["a letter for one", "a crown for two"]);
const warnings = said.filter((line) => line.startsWith("queuescope: "));
assert.equal(warnings.length, 1, `one warning, not ${JSON.stringify(warnings)}`);
assert.match(warnings[0], /stall/);
