import { serve } from "../bullmq/child.js";
import type { Watch } from "./watch.js";

interface Redis {
  readonly host: string;
  readonly port: number;
}

let watch: Watch | undefined;

/** A process whose clock and whose end are its own. What reads the clock is loaded when that has been set. */
const actions = {
  /** Takes one job and never ends it. Resolves when it has it. */
  async hang(name: string, connection: Redis, lockDuration: number): Promise<void> {
    const { Worker } = await import("bullmq");
    await new Promise<void>((resolve) => {
      const hang = () => {
        resolve();
        return new Promise(() => {});
      };
      new Worker(name, hang, { connection, lockDuration });
    });
  },

  /** Works with a clock that is ahead, under a watchdog. Resolves when it works, and all is loaded. */
  async watchAhead(name: string, connection: Redis, aheadMs: number): Promise<void> {
    const { now } = Date;
    Date.now = () => now() + aheadMs;
    const { Worker } = await import("bullmq");
    const { bullmq } = await import("../../../src/bullmq.js");
    const { instrument } = await import("../../../src/index.js");
    const { POLL, slaOf, Watch } = await import("./watch.js");
    const worker = new Worker(name, async () => {}, { connection });
    watch = new Watch(instrument(worker, { adapter: bullmq(), poll: POLL, sla: slaOf(5_000) }));
    await worker.waitUntilReady();
    // What loading did to the event loop is over by then.
    await new Promise((resolve) => setTimeout(resolve, 500));
  },

  /** The first verdict of that watchdog. */
  async first(): Promise<string> {
    return await watch!.first();
  },
};

export type Actions = typeof actions;

serve(actions);
