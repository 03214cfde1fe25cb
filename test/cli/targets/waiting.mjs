// A process that knows nothing of this library. Each line at which something waits has its name behind `at:`.
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { packaged } from "slow-package";

/** What could go on is no garbage. */
const held = [];
const forever = () => new Promise((resolve) => held.push(resolve));
const context = new AsyncLocalStorage();

async function charge() {
  await forever(); // at:charge
}

class Shop {
  async ship(order) {
    await null;
    const paid = await charge(order); // at:ship
    return paid;
  }
  static async open() {
    try {
      await forever(); // at:open
    } finally {
      held.length = 0;
    }
  }
  pack = async () => {
    await forever(); // at:pack
  };
}

const arrow = async (promise) => await promise; // at:arrow

async function* numbers() {
  yield 1;
  await forever(); // at:numbers
}

async function consume() {
  for await (const number of numbers()) held.push(number); // at:consume
}

async function branch(name) {
  if (name === "left")
    await charge(); // at:left
  else await forever(); // at:right
}

async function parallel() {
  await Promise.all([branch("left"), branch("right"), branch("right")]); // at:parallel
}

async function chained() {
  const after = charge().then(() => {});
  await after.finally(() => {}); // at:chained
}

async function returned() {
  return charge();
}

async function awaitsReturned() {
  await returned(); // at:awaitsReturned
}

async function throughPackage() {
  await packaged(() => charge()); // at:throughPackage
}

async function timer() {
  await sleep(3_600_000); // at:timer
}

async function plainTimer() {
  await new Promise((resolve) => setTimeout(resolve, 7_200_000)); // at:plainTimer
}

async function socket() {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(server.address().port, "127.0.0.1");
  await once(client, "connect");
  await once(client, "data"); // at:socket
}

async function outer(inner) {
  await inner; // at:outer
}

/** Neither can go on without the other one. */
async function circle() {
  await null;
  await held.circle; // at:circle
}

held.circle = circle();
context.run({ correlationId: "shop" }, () => new Shop().ship());
Shop.open();
new Shop().pack();
arrow(forever());
consume();
parallel();
chained();
awaitsReturned();
throughPackage();
timer();
plainTimer();
socket();
for (let i = 0; i < 12; i++) context.run({ requestId: `order-${i}` }, () => outer(charge()));
const ballast = [];
for (let i = 0; i < Number(process.env.BALLAST ?? 0) * 8_000; i++)
  ballast.push({ a: i, b: String(i), c: [i] });
setInterval(() => ballast.length, 1_000);
// Whoever counts these sees for how long it stood still.
let last = performance.now();
let longest = 0;
setInterval(() => {
  longest = Math.max(longest, performance.now() - last);
  last = performance.now();
}, 5);
process.on("message", () => process.send({ longest }));
setTimeout(() => process.send?.("ready"), 50);
await forever(); // at:top
