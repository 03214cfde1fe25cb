/**
 * Worker pools under everything that can go wrong, for a long time: `npm run soak:workers -- --items 50000 --seed 7`. Every item must
 * be accounted for, and nothing may be left behind. Prints a summary; exits with 1 on any violation.
 */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ConsecutiveBreaker, circuitBreaker, handleType } from "cockatiel";
import { instrument } from "../../src/adapters/instrument.js";
import { QueueFullError, QueueShutDownError } from "../../src/base/errors.js";
import { PROBE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { Gate } from "../../src/worker/gate.js";
import type { Verdict } from "../../src/worker/options.js";
import { WorkerPool } from "../../src/worker/pool.js";
import type { DrainReport } from "../../src/worker/shutdown.js";
import type { Task } from "../../src/worker/task.js";
import { Account } from "./account.js";
import { Dice } from "./dice.js";
import { crashes, HANDLINGS, Mine } from "./handlings.js";

const { values } = parseArgs({ options: { items: { type: "string" }, seed: { type: "string" } } });
const ITEMS = Number(values.items ?? 1_000_000);
const SEED = Number(values.seed ?? 1);
/** At the end of each, everything is quiet, and memory is measured. */
const PHASES = 10;
/** How much more memory may be in use at the end than at the beginning, whatever the number of items. */
const MAX_GROWTH_BYTES = 3 * 2 ** 20;
/** Of the items, so many are put last, and found by the drains' time limits in the queues and in workers. */
const LAST = Math.min(2_000, ITEMS / 10);

const collect = globalThis.gc;
if (collect === undefined || !(ITEMS >= 1_000)) {
  console.error(
    "usage: node --expose-gc --import tsx test/soak/workers.ts [--items N] [--seed N], N from 1000",
  );
  process.exit(2);
}

const startedAt = performance.now();
const dice = new Dice(SEED);
const account = new Account(ITEMS);
const violations: string[] = [];

function check(what: string, holds: boolean, facts: unknown = ""): void {
  if (!holds) violations.push(facts === "" ? what : `${what}: ${facts}`);
}

let aside = 0;
process.on("uncaughtException", (error) => {
  if (error instanceof Mine && error.message === "aside") aside++;
  else check("no uncaught exception", false, error?.stack ?? error);
});
process.on("unhandledRejection", (error) => {
  check("no unhandled rejection", false, (error as Error | undefined)?.stack ?? error);
});
// Callbacks that throw are warned of; whatever else is, of listeners that leak say, is a violation.
process.removeAllListeners("warning");
process.on("warning", ({ name, message }) => {
  check("no warnings of Node's", name === "QueuescopeWarning", `${name}: ${message}`);
});

const resourcesBefore = countResources();

/** The downstream is broken: each call fails. */
class Broken extends Error {}
let isBroken = false;
const breaker = circuitBreaker(handleType(Broken), { halfOpenAfter: 5, breaker: new ConsecutiveBreaker(3) });
let breaks = 0;
breaker.onBreak(() => breaks++);
const gate = new Gate({ name: "downstream", concurrency: 20, policy: breaker });

let refusals = 0;
const dead = new FifoQueue<number>({ capacity: 2, whenFull: "reject", onDrop: () => void refusals++ });
const morgue = new WorkerPool(
  dead,
  async (item) => {
    if (dice.hits(0.5)) await sleep(2);
    account.end(item, "dead-lettered");
  },
  { name: "morgue" },
);

const evicting = instrument(
  new PriorityQueue<number>({
    capacity: 1_000,
    whenFull: "evict",
    onDrop: (item, reason) => {
      account.end(item, reason === "evicted" ? "evicted" : "expired");
      check(
        "only evicted and expired items are dropped",
        reason === "evicted" || reason === "expired",
        reason,
      );
      if (dice.hits(0.01)) throw new Mine("onDrop");
    },
  }),
  { name: "evicting" },
);
const waiting = new FifoQueue<number>({ capacity: 500 });

const chosen = new Map<string, number>();
function handle(item: number, task: Task): unknown {
  const handling = dice.pick(HANDLINGS);
  chosen.set(handling.name, (chosen.get(handling.name) ?? 0) + 1);
  return handling.handle(task, () => account.end(item, "done"), dice);
}

function call(item: number, task: Task): unknown {
  if (isBroken) throw new Broken("503");
  return handle(item, task);
}

function onFailed(): Verdict | undefined {
  if (dice.hits(0.02)) throw new Mine("onFailed");
  return dice.hits(0.05) ? "drop" : undefined;
}

const usual = {
  retry: { attempts: 3, backoff: { initialMs: 1, maxMs: 5 } },
  timeoutMs: 20,
  stalledAfterMs: 10,
  onFailed,
};
const pools = [
  new WorkerPool(evicting, call, { ...usual, name: "gated", concurrency: 16, gate, deadLetter: dead }),
  new WorkerPool(evicting, (item, task) => gate.run(() => call(item, task), { task }), {
    ...usual,
    name: "through the gate by itself",
    concurrency: 8,
    deadLetter: async (item) => {
      if (dice.hits(0.2)) throw new Mine("refused");
      await dead.put(item);
    },
  }),
  new WorkerPool(waiting, handle, { ...usual, name: "plain", concurrency: 8, deadLetter: dead }),
  // Without a dead letter, and without an opinion: what fails three times is dropped, and told once by a warning.
  new WorkerPool(waiting, handle, { ...usual, name: "bare", concurrency: 4, onFailed: undefined }),
];
let stalls = 0;
for (const pool of pools) {
  pool.on("failed", ({ item, verdict }) => {
    if (verdict === "drop") account.end(item, "failed");
    if (dice.hits(0.001)) throw new Mine("a listener");
  });
  pool.on("state", ({ to }) => {
    if (to === "stalled") stalls++;
  });
}

let accepted = 0;
let aborted = 0;
let nextItem = 0;
let isOver = false;

/** Puts items until there are so many in all: mostly as fast as they are handled, and sometimes much faster. */
async function produce(until: number): Promise<void> {
  while (nextItem < until) {
    if (dice.hits(0.002)) await burst(Math.min(dice.below(4_000), until - nextItem));
    else {
      while (evicting.size > 800) await turn();
      await put(nextItem++);
    }
    if (nextItem % 50 === 0) await turn();
  }
}

async function burst(count: number): Promise<void> {
  const puts = Array.from({ length: count }, () => put(nextItem++));
  await turn();
  await Promise.all(puts);
}

function put(item: number): Promise<void> {
  return item % 2 === 0 ? putEvicting(item) : putWaiting(item);
}

/** What loses against everything that is there counts as accepted, and dropped: onDrop was told. */
async function putEvicting(item: number): Promise<void> {
  await evicting.put(item, placeOf()).catch((error) => {
    if (!(error instanceof QueueFullError)) throw error;
  });
  accepted++;
}

/** Waits for room, unless it is aborted, or the queue is shut down, before there is some. */
async function putWaiting(item: number): Promise<void> {
  const controller = dice.hits(0.02) ? new AbortController() : undefined;
  if (controller !== undefined) setImmediate(() => controller.abort(new Mine("put")));
  try {
    await waiting.put(item, { signal: controller?.signal });
    accepted++;
  } catch (error) {
    if (!(error instanceof Mine) && !(error instanceof QueueShutDownError)) throw error;
    aborted++;
    account.end(item, "refused");
  }
}

function placeOf(): { priority?: number; deadline?: number; correlationId?: string } {
  if (dice.hits(0.02)) return { priority: dice.below(5), deadline: Date.now() + dice.below(20) - 5 };
  return dice.hits(0.1) ? { correlationId: "of the soak" } : { priority: dice.below(5) };
}

/** Does to the pools what operators do, and to the downstream what happens to it. */
async function meddle(): Promise<void> {
  while (!isOver) {
    const pool = pools[dice.below(pools.length)]!;
    const what = dice.below(8);
    if (what < 3) pool.resize(1 + dice.below(24));
    else if (what < 6) {
      pool.pause();
      await sleep(dice.below(3));
      pool.resume();
    } else if (what === 6 && dice.hits(0.3)) {
      isBroken = true;
      await sleep(dice.below(10));
      isBroken = false;
    } else if (what === 7 && dice.hits(0.1)) {
      const isolation = breaker.isolate();
      await sleep(dice.below(10));
      isolation.dispose();
    }
    await sleep(5);
  }
}

/** How many timers, sockets and so on hold the process. */
function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

async function heapInUse(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await turn();
    collect!();
  }
  return process.memoryUsage().heapUsed;
}

const heap: number[] = [];
const meddling = meddle();
for (let phase = 1; phase <= PHASES; phase++) {
  await produce(Math.round(((ITEMS - LAST) * phase) / PHASES));
  // A dead letter may go round several times before it is taken.
  await Promise.all([evicting.join(), waiting.join()]);
  await dead.join();
  heap.push(await heapInUse());
}
isOver = true;
await meddling;
for (const pool of pools) pool.resize(4);

// The end, in the midst of work.
await Promise.race([burst(ITEMS - nextItem), turn()]);
const isolation = breaker.isolate();
const reports: DrainReport[] = await Promise.all([
  pools[0]!.drain({ timeoutMs: 5 }),
  pools[1]!.stop({ graceMs: 5 }),
  pools[2]!.drain({ timeoutMs: 5 }),
  pools[3]!.drain({ timeoutMs: 2 }),
]);
isolation.dispose();
const deadline = performance.now() + 10_000;
while (pools.some(({ workers }) => workers.length > 0) && performance.now() < deadline) await turn();
const lastReport = await morgue.drain({ timeoutMs: 10_000 });
for (const { close } of HANDLINGS) await close?.();

// What is left is left in the queues, each item once, and never ended.
while (evicting.delayed + waiting.delayed > 0 && performance.now() < deadline) await turn();
let leftOver = 0;
for (const queue of [evicting, waiting]) {
  const inFlight = queue[PROBE].inFlight;
  check("nothing is unsettled", inFlight === 0, `${inFlight} in flight`);
  check("no caller waits", queue[PROBE].waitingGets === 0 && queue[PROBE].waitingPuts === 0);
  while (queue.size > 0) {
    const item = queue.tryGet();
    if (item === undefined) break; // the rest had expired
    leftOver++;
    queue.taskDone();
    check(
      "what is left over did not end",
      account.endOf(item) === undefined,
      `${item}: ${account.endOf(item)}`,
    );
  }
  check("all is settled", await settles(queue.join()));
}

async function settles(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise.then(() => true), turn(undefined).then(() => turn(false))])) === true;
}

const sum = (name: "done" | "failed" | "retried" | "deadLettered") =>
  pools.reduce((total, { counts }) => total + counts[name], 0);
const completed = sum("done") + sum("failed");
const dropped = account.count("evicted") + account.count("expired");
const accounted = completed + dropped + sum("deadLettered") + leftOver;
check(
  "put = completed + dropped + dead-lettered + left over",
  accepted === accounted,
  `${accepted}, ${accounted}`,
);
check("every item was put or refused", accepted + account.count("refused") === ITEMS);
check(
  "the pools count what their handlers did",
  sum("done") === account.count("done"),
  `${sum("done")}, ${account.count("done")}`,
);
check("the pools count what they gave up", sum("failed") === account.count("failed"));
check("dead letters arrive", sum("deadLettered") === account.count("dead-lettered"));
check(
  "the morgue is empty",
  lastReport.leftOver.count === 0 && !lastReport.timedOut && morgue.counts.failed === 0,
);
check("no item ends twice", account.doubles.length === 0, account.doubles.join("; "));
check("items without an end are those left over", [...account.open(ITEMS)].length === leftOver);
check(
  "no worker is left",
  [...pools, morgue].every(({ workers, running }) => workers.length + running === 0),
);
check("the gate is free", gate.inFlight === 0 && gate.waiting === 0, `${gate.inFlight}, ${gate.waiting}`);
const growth = Math.min(...heap.slice(-3)) - Math.min(...heap.slice(1, 4));
check("memory does not grow", growth < MAX_GROWTH_BYTES, `${growth} bytes`);
await turn();
await turn();
for (const [name, count] of countResources()) {
  check("no timer or handle is left", count <= (resourcesBefore.get(name) ?? 0), `${count} ${name}`);
}
for (const { name } of HANDLINGS) check("all failures were injected", chosen.has(name), name);
const rarities = {
  breaks,
  crashes,
  aside,
  stalls,
  aborted,
  refusals,
  evicted: account.count("evicted"),
  leftOver,
};
for (const [what, count] of Object.entries(rarities))
  check("nothing is too rare to be tried", count > 0, what);

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const seconds = (performance.now() - startedAt) / 1_000;
console.log(`soak of worker pools: ${ITEMS} items, seed ${SEED}, ${seconds.toFixed(1)} s`);
console.log(
  `  put ${accepted} = completed ${completed} (${sum("done")} done, ${sum("failed")} failed) + dropped ${dropped} ` +
    `(${account.count("evicted")} evicted, ${account.count("expired")} expired) + dead-lettered ${sum("deadLettered")} + left over ${leftOver}`,
);
console.log(
  `  ${sum("retried")} retries, ${breaks} times the breaker opened, ${stalls} stalled workers, ${crashes} crashed threads, ${aside} exceptions aside, ` +
    `${aborted} puts aborted, ${refusals} dead letters refused, ${reports.flatMap(({ abandoned }) => abandoned).length} tasks abandoned`,
);
console.log(`  heap after collection: ${heap.map(mib).join(", ")}`);
for (const violation of violations.slice(0, 20)) console.error(`VIOLATION: ${violation}`);
console.log(violations.length === 0 ? "  no violations" : `  ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
