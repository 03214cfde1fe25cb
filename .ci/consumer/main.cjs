const assert = require("node:assert/strict");
const { FifoQueue, instrument } = require("queuescope");

const orders = instrument(new FifoQueue(), { name: "orders" });
assert.equal(orders.tryPut("a letter"), true);
assert.equal(orders.tryGet(), "a letter");

// One copy only, however it is loaded.
import("queuescope").then((esm) => assert.equal(esm.FifoQueue, FifoQueue));
