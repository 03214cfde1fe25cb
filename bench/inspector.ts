/**
 * What the live view costs the process that it shows: items a second of 20 queues with a pool each, while nothing looks in, while the hub only keeps its
 * numbers, and with 1 and 20 clients that read every event (one of them the details of a queue). Rounds are interleaved; a ratio is that of medians, with the quartiles of
 * the rounds. By the processor time of the process, too, which other processes of the machine disturb less.
 *
 *     npm run bench:inspector -- [--rounds 15] [--seconds 2] [--queues 20] [--json]
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";
import { type Inspection, inspect } from "queuescope/inspect";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    seconds: { type: "string", default: "2" },
    queues: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
  },
});
const ROUNDS = Number(values.rounds);
const ROUND_MS = 1_000 * Number(values.seconds);
/** How many items are put before the event loop turns. */
const BATCH = 200;

const CASES = ["none", "hub", "1 client", "20 clients"] as const;
type Case = (typeof CASES)[number];

interface Round {
  readonly perSecond: number;
  readonly cpuUsPerItem: number;
}

const folder = mkdtempSync(join(tmpdir(), "queuescope-bench-"));
process.env.QUEUESCOPE_DIR = folder;
const queues = Array.from({ length: Number(values.queues) }, (_, i) => {
  const queue = instrument(new FifoQueue<number>(), {
    name: `queue ${i}`,
    sla: { default: { targetMs: 1_000 } },
  });
  new WorkerPool(queue, () => {}, { concurrency: 4 });
  return queue;
});
const watchdog = new Watchdog({ print: false });
for (const queue of queues) watchdog.watch(queue);
watchdog.start();

let inspection: Inspection | undefined;
const clients = fork(fileURLToPath(new URL("./inspector-clients.ts", import.meta.url)), {
  execArgv: ["--import", "tsx"],
  stdio: ["ignore", "ignore", "inherit", "ipc"],
});

async function prepare(what: Case): Promise<void> {
  const count = what === "1 client" ? 1 : what === "20 clients" ? 20 : 0;
  await asked(clients, { count: 0 });
  if (what === "none") {
    await inspection?.close();
    inspection = undefined;
    return;
  }
  inspection ??= inspect({ name: "bench" });
  const socketPath = await inspection.ready;
  if (count > 0) await asked(clients, { count, socketPath });
}

function asked(child: ChildProcess, what: object): Promise<void> {
  return new Promise((resolve) => {
    child.once("message", () => resolve());
    child.send(what);
  });
}

async function round(): Promise<Round> {
  let items = 0;
  const from = performance.now();
  const cpu = process.cpuUsage();
  while (performance.now() - from < ROUND_MS) {
    for (const queue of queues) for (let i = 0; i < BATCH; i++) await queue.put(i);
    items += queues.length * BATCH;
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const queue of queues) await queue.join();
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: (1_000 * items) / (performance.now() - from),
    cpuUsPerItem: (user + system) / items,
  };
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

const rounds: Record<Case, Round[]> = { none: [], hub: [], "1 client": [], "20 clients": [] };
for (let i = -1; i < ROUNDS; i++) {
  // In another order each time: what comes first is not always the same.
  for (let n = 0; n < CASES.length; n++) {
    const what = CASES[(n + Math.max(0, i)) % CASES.length]!;
    await prepare(what);
    const done = await round();
    if (i >= 0) rounds[what].push(done);
  }
}
await prepare("hub");
clients.disconnect();
await inspection?.close();
await watchdog.stop();
rmSync(folder, { recursive: true, force: true });

const base = rounds.none;
const rows = CASES.map((what) => {
  const each = rounds[what];
  const ratios = each.map(({ perSecond }, i) => perSecond / base[i]!.perSecond);
  const cpu = each.map(({ cpuUsPerItem }, i) => cpuUsPerItem / base[i]!.cpuUsPerItem);
  return {
    case: what,
    perSecond: Math.round(median(each.map(({ perSecond }) => perSecond))),
    throughput: median(ratios),
    quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    cpuPerItem: median(cpu),
  };
});
if (values.json) console.log(JSON.stringify(rows));
else {
  for (const { case: what, perSecond, throughput, quartiles, cpuPerItem } of rows) {
    console.log(
      `${what.padEnd(12)} ${String(perSecond).padStart(9)} items/s  throughput x${throughput.toFixed(3)} (${quartiles.map((each) => each.toFixed(3)).join(" to ")})  processor time per item x${cpuPerItem.toFixed(3)}`,
    );
  }
}
