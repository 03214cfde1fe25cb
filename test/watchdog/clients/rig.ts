import { instrument } from "../../../src/adapters/instrument.js";
import { FifoQueue } from "../../../src/queue/fifo-queue.js";
import type { Wait } from "../../../src/waits/wait.js";
import type { Waits } from "../../../src/waits/waits.js";

let count = 0;

/** Runs the handler as that of an item with this correlation ID. Its result, and what stands for the task. */
export async function task<R>(
  handler: () => R,
  correlationId?: string,
): Promise<{ task: object; result: R }> {
  const queue = instrument(new FifoQueue<string>(), { name: `clients-${count++}` });
  await queue.put("item", { correlationId });
  const delivery = await queue.receive();
  return { task: delivery, result: delivery.run(handler) };
}

export function inWords(waits: Waits, task: object): string[] {
  return waits
    .of(task)
    .map(({ kind, label, state }: Wait) => `${kind}: ${label}${state ? `, ${state}` : ""}`);
}

/** Until it holds; each turn of the loop is a chance for what was signalled. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  for (const until = performance.now() + 60_000; ; ) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
