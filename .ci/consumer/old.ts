// As an older TypeScript, or an older setting of it, reads the package.
import { FifoQueue, instrument, PriorityQueue, WorkerPool } from "queuescope";
import { startTelemetry, type TelemetryOptions } from "queuescope/sdk";
import { adapterConformance } from "queuescope/testing";
import { inThreads, type ThreadTask } from "queuescope/threads";

const queue: FifoQueue<string> = instrument(new FifoQueue<string>(), { name: "letters" });
export const pool = new WorkerPool(queue, (letter) => letter.length);
export const start = (options: TelemetryOptions) => startTelemetry(options);
export const double = inThreads<number, number>("/srv/double.js");
export const inThread = (n: number, { signal }: ThreadTask): number => (signal.aborted ? 0 : 2 * n);
export const conformance: typeof adapterConformance = adapterConformance;

const orders = new PriorityQueue({ tiers: { vip: 0, regular: 10 } });
orders.tryPut("a crown", { tier: "vip" });
// @ts-expect-error there is no such tier
orders.tryPut("a crown", { tier: "nosuch" });
