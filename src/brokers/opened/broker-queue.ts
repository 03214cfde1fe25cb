import { checkKnown, type OptionNames } from "../../base/checks.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../../base/errors.js";
import { checkName } from "../../base/limits.js";
import { processWide } from "../../base/process-wide.js";
import type { BrokerAdapter, OpenedQueue } from "../../contracts/index.js";
import { warnOfOtherApi } from "../../telemetry/other-api.js";
import { Hub } from "../hub.js";
import { type BrokerOptions, readBrokerOptions } from "../options.js";
import { BrokeredQueue } from "./brokered-queue.js";
import { BrokerSource } from "./source.js";

/** Options of {@link brokerQueue}. Only `undefined` stands for the default. */
export interface BrokeredQueueOptions<
  Tiers extends Readonly<Record<string, number>> = Readonly<Record<string, number>>,
> extends Omit<BrokerOptions, "adapter" | "queues" | "tiers"> {
  /** Names for priorities, such as `{ urgent: 1, normal: 10 }`, whole numbers from 1, where the engine has priorities. Default: none. */
  tiers?: Tiers | undefined;
}

const OPTIONS: OptionNames<BrokeredQueueOptions> = {
  name: true,
  tiers: true,
  sla: true,
  poll: true,
  traces: true,
  relation: true,
  metrics: true,
};

/**
 * Opens a queue of a broker, instrumented, with the face of the queues in this process: the same `put`, the same `WorkerPool`. It has connections of
 * its own, which {@link BrokeredQueue.close} ends. `queue` is the broker's name of it; the engine makes it, if there is none. Rejects with the engine's
 * error if the broker can't be reached, or with an `InvalidOption…Error`.
 *
 * @example
 * import { brokerQueue, WorkerPool } from "queuescope";
 * import { bullmq } from "queuescope/bullmq";
 *
 * const orders = await brokerQueue(bullmq({ connection: { host: "127.0.0.1" } }), "orders", { tiers: { urgent: 1, normal: 10 } });
 * const pool = new WorkerPool(orders, async (order) => console.log("ship", order), { concurrency: 8, retry: { attempts: 3 } });
 * await orders.put({ id: 7 }, { tier: "urgent" });
 * process.once("SIGTERM", async () => {
 *   await pool.drain({ timeoutMs: 20_000 });
 *   await orders.close();
 * });
 */
export async function brokerQueue<
  T,
  const Tiers extends Readonly<Record<string, number>> = Record<never, number>,
>(
  adapter: BrokerAdapter,
  queue: string,
  options: BrokeredQueueOptions<Tiers> = {},
): Promise<BrokeredQueue<T, Extract<keyof Tiers, string>>> {
  if (typeof adapter?.attach !== "function") {
    throw new InvalidOptionTypeError(
      "adapter",
      adapter,
      "the adapter of a broker, such as bullmq({ connection })",
    );
  }
  if (typeof adapter.open !== "function") {
    throw new InvalidOptionTypeError("adapter", adapter, "an adapter that can open queues; this one can't");
  }
  checkName("queue", queue);
  checkKnown(options, OPTIONS);
  const settings = readBrokerOptions({ ...options, adapter }, adapter, queue);
  warnOfOtherApi();
  const hub = new Hub(adapter, settings);
  const telemetry = hub.queues.get(queue)!;
  const source = new BrokerSource<T>(queue, hub, telemetry);
  let opened: OpenedQueue | undefined;
  try {
    opened = await adapter.open(queue, hub, source.came);
    const tiers = checkTiers(options.tiers, opened.maxPriority);
    const { name } = telemetry;
    const { instrumented } = processWide;
    const face = new BrokeredQueue<T, Extract<keyof Tiers, string>>(name, opened, source, tiers, () => {
      instrumented.delete(face);
      hub.close();
    });
    instrumented.set(face, { name, watchables: [telemetry.watchable], undo: () => hub.close() });
    source.begin(opened, face);
    return face;
  } catch (error) {
    hub.close();
    await opened?.close();
    throw error;
  }
}

function checkTiers(
  tiers: Readonly<Record<string, number>> | undefined,
  maxPriority: number | undefined,
): Readonly<Record<string, number>> {
  if (tiers === undefined) return {};
  if (maxPriority === undefined) {
    throw new InvalidOptionRangeError("tiers", tiers, "left out: queues of this engine have no priorities");
  }
  for (const [tier, priority] of Object.entries(tiers)) {
    if (Number.isInteger(priority) && priority >= 1 && priority <= maxPriority) continue;
    throw new InvalidOptionRangeError(`tiers.${tier}`, priority, `a whole number from 1 to ${maxPriority}`);
  }
  return tiers;
}
