// An app that uses everything that bundlers could get wrong. It says what worked as one line of JSON.
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";
import { inThreads } from "queuescope/threads";

async function main(): Promise<void> {
  const orders = instrument(new FifoQueue<string>(), {
    name: "orders",
    sla: { default: { targetMs: 60_000 } },
  });
  const done: string[] = [];
  const pool = new WorkerPool(orders, async (order, task) => {
    done.push(`${order}, ${task.correlationId}`);
  });
  const watchdog = new Watchdog({ stallThresholdMs: 100 }).watch(orders).watch(pool);
  const stalled = new Promise<boolean>((resolve) => {
    // One that came while the thread started is told without a stack.
    watchdog.on("stall", ({ stack }) => {
      if (stack.length > 0) resolve(true);
    });
  });
  const hold = setInterval(() => {}, 1_000);
  watchdog.start();
  await orders.put("a letter", { correlationId: "a request" });
  await pool.drain();

  // The thread takes a moment to start, and sees nothing of what was before.
  let sawStall: boolean | undefined;
  const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(resolve, ms, undefined));
  while (sawStall === undefined) {
    await pause(1_000);
    setTimeout(() => {
      for (const end = performance.now() + 700; performance.now() < end; );
    }, 5);
    sawStall = await Promise.race([stalled, pause(2_000)]);
  }
  clearInterval(hold);
  await watchdog.stop();

  let threads: unknown;
  try {
    const double = inThreads<number, number>(process.argv[2]!);
    threads = await double(21);
    await double.close();
  } catch (error) {
    threads = String(error);
  }
  console.log(JSON.stringify({ done, sawStall, threads }));
}

void main();
