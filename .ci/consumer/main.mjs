import assert from "node:assert/strict";
import { instrument, PriorityQueue } from "queuescope";

const orders = instrument(new PriorityQueue({ tiers: { vip: 0, regular: 10 } }), { name: "orders" });
await orders.put("a letter", { tier: "regular" });
await orders.put("a crown", { tier: "vip" });
assert.equal(await orders.get(), "a crown");
assert.equal(await orders.get(), "a letter");
