import type { DrainReport, WorkerPool } from "queuescope";
import type { Order } from "./orders.js";
import { hire, type Workplace } from "./workers.js";

/** The pool that ships orders; it may leave, and another one be hired. */
export class Staff {
  /** The last one is at work, or was; those before it still finish what they had begun. */
  private pools: WorkerPool<Order>[] = [];

  constructor(private readonly workplace: Workplace) {
    this.hire();
  }

  hire(): void {
    this.pools = [...this.pools.filter(({ running }) => running > 0), hire(this.workplace)];
  }

  /** All workers go home: what is begun is finished, nothing more is taken. */
  leave(): void {
    void this.pools.at(-1)!.stop();
  }

  /** Finishes what was accepted; when the time is over, gives up. */
  async close(timeoutMs: number): Promise<DrainReport> {
    const before = this.pools.slice(0, -1).map((pool) => pool.stop({ graceMs: timeoutMs }));
    const report = await this.pools.at(-1)!.drain({ timeoutMs });
    await Promise.all(before);
    this.giveUp();
    return report;
  }

  /** At once: what waits is dropped, what runs is aborted. */
  giveUp(): void {
    this.workplace.orders.shutdown({ immediate: true });
    for (const pool of this.pools) void pool.stop({ graceMs: 0 });
  }
}
