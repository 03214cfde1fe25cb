import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { FifoQueue, PriorityQueue } from "queuescope";
import { type Item, loadOf, MASK, settled } from "../drivers/heap-load.js";
import { compare, cpuMicros, type Drive } from "../harness.js";
import type { Findings, Pace, Scenario } from "../scenario.js";

type Kind = "fifo" | "few" | "wide";

const SCRIPT = fileURLToPath(new URL("../python/queues.py", import.meta.url));
const DEPTH = 1_000;
const GOAL = 6;
const NAMES = { fifo: "asyncio.Queue", few: "asyncio.PriorityQueue", wide: "asyncio.PriorityQueue" };

/** Ours under the load of the script: one await get and one await put at a constant depth. */
async function ours(kind: Kind): Promise<Drive> {
  const load = loadOf(DEPTH, kind === "wide" ? "wide" : "few");
  if (kind === "fifo") {
    const queue = new FifoQueue<Item>();
    for (const item of settled(load)) await queue.put(item);
    return async (count) => {
      for (let i = 0; i < count; i++) await queue.put(await queue.get());
    };
  }
  const queue = new PriorityQueue<Item>();
  for (const item of settled(load)) await queue.put(item, { priority: item.priority });
  const grows = kind === "wide";
  return async (count) => {
    for (let i = 0; i < count; i++) {
      const item = await queue.get();
      item.priority = load.stream[i & MASK]! + (grows ? item.priority : 0);
      await queue.put(item, { priority: item.priority });
    }
  };
}

/** One run of the script, or undefined where there is no Python. */
function theirs(kind: Kind, count: number): number | undefined {
  const { status, stdout } = spawnSync("python3", [SCRIPT, kind, String(count)], { encoding: "utf8" });
  return status === 0 ? Number(stdout) : undefined;
}

async function run(name: string, kind: Kind, pace: Pace): Promise<Findings> {
  const counts = pace.quick ? { ours: 50_000, theirs: 20_000 } : { ours: 200_000, theirs: 200_000 };
  const drive = await ours(kind);
  await drive(counts.ours);
  const samples = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < (pace.quick ? 3 : 7); round++) {
    const python = theirs(kind, counts.theirs);
    if (python === undefined) return { rows: [], skipped: `${name}: skipped, python3 is missing` };
    const before = cpuMicros();
    await drive(counts.ours);
    samples.ours.push(((cpuMicros() - before) * 1000) / counts.ours);
    samples.theirs.push(python);
  }
  const goal = kind === "fifo" ? undefined : GOAL;
  return {
    rows: [compare({ case: name, ours: samples.ours, peer: samples.theirs, peerName: NAMES[kind], goal })],
  };
}

function scenario(name: string, kind: Kind): Scenario {
  return { name, run: (pace) => run(name, kind, pace) };
}

/** Await put and await get at a constant depth, in Node and in Python. Each in CPU time of its own process. */
export const python: readonly Scenario[] = [
  scenario("await put + get, FIFO, 1k", "fifo"),
  scenario("await put + get, few priorities, 1k", "few"),
  scenario("await put + get, wide priorities, 1k", "wide"),
];
