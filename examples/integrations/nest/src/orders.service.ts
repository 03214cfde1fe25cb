import { setTimeout as sleep } from "node:timers/promises";
import { Injectable, type OnApplicationShutdown } from "@nestjs/common";
import { ClsService } from "nestjs-cls";
import { PinoLogger } from "nestjs-pino";
import { FifoQueue, instrument, WorkerPool } from "queuescope";

@Injectable()
export class OrdersService implements OnApplicationShutdown {
  // "producer": a worker sees the nestjs-cls store of the request that put the order, not the one that made the pool.
  private readonly orders = instrument(new FifoQueue<string>({ capacity: 1_000, whenFull: "reject" }), {
    name: "orders",
    sla: { default: { targetMs: 1_000, objective: 0.99 } },
    asyncContext: "producer",
  });
  private readonly pool = new WorkerPool(this.orders, (id) => this.ship(id), {
    name: "shipping",
    concurrency: 4,
  });

  constructor(
    private readonly cls: ClsService,
    private readonly log: PinoLogger,
  ) {}

  async take(id: string): Promise<void> {
    await this.orders.put(id, { correlationId: this.cls.getId() });
  }

  private async ship(id: string): Promise<void> {
    await sleep(50);
    this.log.info({ order: id, user: this.cls.get("user") }, "shipped");
  }

  /** By then Nest has closed the HTTP server, so no order comes in any more. */
  async onApplicationShutdown(): Promise<void> {
    const report = await this.pool.drain({ timeoutMs: 20_000 });
    this.log.info({ done: report.done, leftOver: report.leftOver.count }, "drained");
  }
}
