const assert = require("node:assert/strict");
const { currentCorrelationId, FifoQueue, instrument, QueueFullError, WorkerPool } = require("queuescope");

const orders = instrument(new FifoQueue({ capacity: 1, whenFull: "reject" }), { name: "orders" });
assert.equal(orders.tryPut("a letter"), true);

// The module is another copy, and knows of this one's work.
import("queuescope").then(async (esm) => {
  assert.notEqual(esm.FifoQueue, FifoQueue);
  assert.throws(() => esm.instrument(orders, { name: "again" }), { code: "QUEUE_ALREADY_INSTRUMENTED" });
  await assert.rejects(
    orders.put("another"),
    (error) => error instanceof esm.QueueFullError && error instanceof QueueFullError,
  );
  assert.equal(
    esm.withCorrelationId("a request", () => currentCorrelationId()),
    "a request",
  );
  const handled = [];
  const pool = new esm.WorkerPool(orders, (letter) => handled.push(letter));
  await pool.drain();
  assert.deepEqual(handled, ["a letter"]);
  assert.notEqual(esm.WorkerPool, WorkerPool);
});
