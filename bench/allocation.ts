import { collect, type Drive } from "./harness.js";

/** Few enough to stay clear of a collection, which would hide what was allocated. */
const CYCLES = 5;
/** Code that isn't optimised yet allocates more. */
const WARM_UP_BATCHES = 200;

/** Bytes that each item allocates in each contestant, round by round. */
export async function allocated(
  drives: readonly Drive[],
  items: number,
  rounds: number,
): Promise<number[][]> {
  for (const drive of drives) for (let i = 0; i < WARM_UP_BATCHES; i++) await drive(CYCLES);
  const samples = drives.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, drive] of drives.entries()) samples[i]!.push((await bytes(drive)) / (CYCLES * items));
  }
  return samples;
}

async function bytes(drive: Drive): Promise<number> {
  await collect();
  const before = process.memoryUsage().heapUsed;
  const running = drive(CYCLES);
  if (running !== undefined) await running;
  return process.memoryUsage().heapUsed - before;
}
