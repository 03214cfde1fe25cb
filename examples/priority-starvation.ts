// Strict priorities starve: while urgent items keep coming, the others wait for ever. With aging, each so many milliseconds of waiting
// are worth one step of priority, so that everything gets its turn. One worker, ten rounds, a batch item that was there first.
import { PriorityQueue, WorkerPool } from "queuescope";

async function serve(agingMs: number | undefined): Promise<string[]> {
  // A clock that is moved by hand, so that the story is the same each time: serving one item takes 100 ms.
  let now = 0;
  const clock = {
    now: () => now,
    wallNow: () => now,
    setTimeout: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs),
    clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  };
  const queue = new PriorityQueue<string>({ tiers: { urgent: 0, batch: 5 }, agingMs, clock });
  const served: string[] = [];
  await queue.put("the batch item", { tier: "batch" });
  await queue.put("urgent 1", { tier: "urgent" });
  let next = 2;
  const pool = new WorkerPool(queue, async (item) => {
    served.push(item);
    now += 100;
    // Each one that is served makes room for another urgent one.
    if (next <= 10) await queue.put(`urgent ${next++}`, { tier: "urgent" });
  });
  await queue.join();
  await pool.drain();
  return served;
}

const place = (served: readonly string[]) => served.indexOf("the batch item") + 1;
const strict = await serve(undefined);
const aging = await serve(100);
console.log(`strict priorities: the batch item is served as number ${place(strict)} of ${strict.length}`);
console.log(`agingMs: 100:      the batch item is served as number ${place(aging)} of ${aging.length}`);
