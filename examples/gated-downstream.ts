// Two pools share a downstream that bears two calls at a time, and sometimes breaks. The gate caps the calls of both; while its circuit
// breaker is open, workers wait with their item in hand instead of burning its attempts.
import { setTimeout as sleep } from "node:timers/promises";
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";
import { FifoQueue, Gate, WorkerPool } from "queuescope";

const breaker = circuitBreaker(handleAll, { halfOpenAfter: 100, breaker: new ConsecutiveBreaker(3) });
breaker.onStateChange((state) => console.log(`the breaker is ${CircuitState[state].toLowerCase()}`));
const warehouse = new Gate({ name: "warehouse", concurrency: 2, policy: breaker });

let calls = 0;
let most = 0;
let isBroken = false;
const reserve = async () => {
  most = Math.max(most, ++calls);
  await sleep(5);
  calls--;
  if (isBroken) throw new Error("503");
};

const options = { concurrency: 4, gate: warehouse, retry: { attempts: 5, backoff: { initialMs: 1 } } };
const shops = ["paris", "rome"].map((name) => {
  const orders = new FifoQueue<number>();
  return { name, orders, pool: new WorkerPool(orders, reserve, { name, ...options }) };
});

for (const { orders } of shops) await orders.putMany([1, 2, 3, 4, 5, 6]);
await Promise.all(shops.map(({ orders }) => orders.join()));
console.log(`12 orders done, at most ${most} calls at a time`);

isBroken = true;
const [paris] = shops;
await paris!.orders.putMany([7, 8, 9]);
await new Promise<void>((resolve) => {
  paris!.pool.on("state", ({ to }) => to === "backoff" && resolve());
});
console.log(`a worker waits; breaker open: ${warehouse.isOpen}`);
isBroken = false;
await paris!.orders.join();

const reports = await Promise.all(shops.map(({ pool }) => pool.drain()));
const lost = shops.reduce((sum, { pool }) => sum + pool.counts.failed, 0);
console.log(`${reports.length} pools drained, ${lost} orders lost`);
