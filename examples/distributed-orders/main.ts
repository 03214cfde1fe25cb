/**
 * An HTTP producer and two workers, as processes, with a Redis between them. One worker is killed, then Redis: no order is lost, and each of
 * them says what it sees.
 *
 *     npm run demo:distributed
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort, isRedisInstalled, Redis } from "./redis.js";
import type { Message } from "./watch.js";

if (!isRedisInstalled()) {
  console.error(
    "This demo needs Redis, which is not installed. On Debian and Ubuntu: apt-get install redis-server. On macOS: brew install redis.",
  );
  process.exit(1);
}

const ORDERS_PER_SECOND = 60;
/** How many orders waited, and so on, as the broker tells the API: everybody's figures. */
const SHOWN = { queue_depth: "wait", queue_inflight: "in flight", queue_consumers: "consumers" };

const accepted = new Set<string>();
const shipped = new Map<string, number>();

function heard({ accepted: put, shipped: done, late }: Message): void {
  if (put !== undefined) accepted.add(put);
  if (done !== undefined) shipped.set(done, (shipped.get(done) ?? 0) + 1);
  if (late !== undefined) console.log(`!!  ${late}`);
}

/** Resolves when the process is ready. */
async function start(file: string, ...args: (string | number)[]): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args.map(String), {
    execArgv: ["--import", "tsx"],
  });
  child.on("message", heard);
  await new Promise<void>((resolve, reject) => {
    child.on("message", ({ ready }: Message) => ready && resolve());
    child.once("exit", () => reject(new Error(`${file} has ended before it was ready`)));
  });
  return child;
}

const redis = await Redis.start();
const [port, ...metricsPorts] = await Promise.all(Array.from({ length: 4 }, freePort));
const api = await start("api.ts", redis.port, port!, metricsPorts[0]!);
const workers = [
  await start("worker.ts", redis.port, metricsPorts[1]!, "A"),
  await start("worker.ts", redis.port, metricsPorts[2]!, "B"),
];

console.log(`Orders   http://127.0.0.1:${port}/orders`);
console.log(`Metrics  ${metricsPorts.map((each) => `http://127.0.0.1:${each}/metrics`).join("  ")}`);
console.log(`Redis    127.0.0.1:${redis.port}`);
console.log(`Workers  ${workers.map(({ pid }) => pid).join(" and ")}\n`);

const load = setInterval(() => {
  // While Redis is away an order waits for its answer, as its customer would.
  fetch(`http://127.0.0.1:${port}/orders`, { method: "POST" }).catch(() => {});
}, 1_000 / ORDERS_PER_SECOND);

let seconds = 0;
const status = setInterval(async () => {
  const text = await fetch(`http://127.0.0.1:${metricsPorts[0]}/metrics`).then((each) => each.text());
  const figures = Object.entries(SHOWN).map(([name, what]) => {
    const [, value] = new RegExp(`^${name}\\{[^}]*queue_scope="shared"[^}]*\\} (\\S+)`, "m").exec(text) ?? [];
    return `${(value ?? "?").padStart(4)} ${what}`;
  });
  console.log(
    `${String(++seconds).padStart(3)} s  ${figures.join("  ")}  ${shipped.size} of ${accepted.size} shipped`,
  );
}, 1_000);

await sleep(4_000);
console.log(
  "── worker A is killed: what it had in hand goes to worker B, which can't ship all that comes in",
);
workers[0]!.kill("SIGKILL");
await sleep(6_000);
console.log("── a new worker A");
workers[0] = await start("worker.ts", redis.port, metricsPorts[1]!, "A");
await sleep(4_000);
console.log("── Redis is killed for 6 s: orders wait, the figures of the broker are unknown");
await redis.kill();
await sleep(6_000);
await redis.start();
console.log("── Redis is back");
await sleep(3_000);
console.log("── no orders come in any more");
clearInterval(load);
// Requests that are under way are answered, or nobody knows what became of their orders.
while (shipped.size < accepted.size || seconds < 1) await sleep(100);
await sleep(500);
clearInterval(status);

const lost = [...accepted].filter((id) => !shipped.has(id)).length;
const twice = [...shipped.values()].filter((times) => times > 1).length;
console.log(
  `\n${accepted.size} orders accepted, ${shipped.size} shipped, ${lost} lost, ${twice} shipped more than once`,
);

for (const child of [api, ...workers]) {
  child.disconnect();
  await once(child, "exit");
}
await redis.stop();
process.exitCode = lost === 0 ? 0 : 1;
