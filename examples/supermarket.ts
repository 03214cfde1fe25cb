// The supermarket of the third article: three cashiers, and a line in which two customers fit. Who finds it full waits for room,
// and none jumps it. When the doors close, the cashiers serve who is still in line, and go home.
import { setTimeout as sleep } from "node:timers/promises";
import { FifoQueue } from "queuescope";

const SECONDS_TO_CHECK_OUT = { beer: 2, bananas: 0.5, sausages: 0.2, diapers: 0.2 };
const MS_PER_SECOND = 50;

type Product = keyof typeof SECONDS_TO_CHECK_OUT;
const line = new FifoQueue<{ id: number; basket: Product[] }>({ capacity: 2 });

async function customersCome(count: number) {
  const products = Object.keys(SECONDS_TO_CHECK_OUT) as Product[];
  for (let id = 1; id <= count; id++) {
    const basket = Array.from({ length: 1 + random(6) }, () => products[random(products.length)]!);
    const { full } = line;
    say(`customer ${id} ${full ? "waits for room in line" : "stands in line"}`);
    await line.put({ id, basket });
    if (full) say(`customer ${id} stands in line`);
    await pass(random(8) / 10);
  }
  line.shutdown();
  say("the doors close");
}

async function cashierWorks(cashier: string) {
  for await (const { id, basket } of line) {
    say(`${cashier} checks out customer ${id}: ${basket.join(", ")}`);
    for (const product of basket) await pass(SECONDS_TO_CHECK_OUT[product]);
    say(`${cashier} is done with customer ${id}`);
    line.taskDone();
  }
  say(`${cashier} goes home`);
}

// Time goes by faster than in real life, and one sleeper at a time wakes up: so every run tells the same story.
const sleepers: { at: number; wake: () => void }[] = [];
let now = 0;

const pass = (seconds: number) =>
  new Promise<void>((wake) => sleepers.push({ at: now + Math.round(seconds * 10), wake }));
const say = (text: string) => console.log(`${(now / 10).toFixed(1).padStart(5)} s  ${text}`);

let seed = 3;
function random(below: number): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
}

const all = [customersCome(10), ...["Ann", "Bob", "Cem"].map(cashierWorks)];
for (;;) {
  await sleep(); // What the last one set off happens before the next one wakes up.
  const next = sleepers.sort((a, b) => a.at - b.at).shift();
  if (next === undefined) break;
  await sleep(((next.at - now) * MS_PER_SECOND) / 10);
  now = next.at;
  next.wake();
}
await Promise.all([...all, line.join()]);
say("all are served");
