const { currentCorrelationId, FifoQueue, instrument, WorkerPool } = require("queuescope");

/** Takes orders, and ships each by `ship(order)`. */
function startShipping(ship) {
  const orders = instrument(new FifoQueue({ capacity: 100 }), { name: "orders" });
  const pool = new WorkerPool(orders, (order) => ship(order, currentCorrelationId()), {
    concurrency: 2,
    retry: { attempts: 2, backoff: { initialMs: 1_000 } },
  });
  return { orders, pool };
}

module.exports = { startShipping };
