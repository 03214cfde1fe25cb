import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../scripts/stack/ports.js";
import { type Lifetime, Server, temporaryFolder } from "./server.js";

/** The order service, as a process of its own. */
export class Demo {
  private constructor(
    private readonly lifetime: Lifetime,
    private readonly port: number,
    private readonly metricsPort: number,
    private readonly args: readonly string[],
  ) {}

  private server!: Server;

  static async start(lifetime: Lifetime, args: readonly string[] = []): Promise<Demo> {
    const reports = ["--report-dir", temporaryFolder(lifetime)];
    const demo = new Demo(lifetime, await freePort(), await freePort(), [...reports, ...args]);
    await demo.run();
    return demo;
  }

  get metrics(): URL {
    return new URL(`http://127.0.0.1:${this.metricsPort}/metrics`);
  }

  private async run(): Promise<void> {
    this.server = new Server(this.lifetime, process.execPath, [
      ...["--import", "tsx", "examples/order-service/main.ts"],
      ...["--port", `${this.port}`, "--metrics-port", `${this.metricsPort}`],
      // What a test has left in the queue isn't worth waiting for.
      ...["--drain-seconds", "0"],
      ...this.args,
    ]);
    await this.server.until("address of the metrics", () => /^Metrics +\S+/m.exec(this.server.output)?.[0]);
  }

  /** Kills it, without any chance to say so. */
  crash(): Promise<void> {
    return this.server.kill();
  }

  /** After a crash: another process, at the same addresses. */
  restart(): Promise<void> {
    return this.run();
  }

  /** Starts one of the faults that it knows. */
  break(fault: string): Promise<void> {
    return this.fault("PUT", fault);
  }

  /** Ends it. */
  mend(fault: string): Promise<void> {
    return this.fault("DELETE", fault);
  }

  private async fault(method: string, fault: string): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.port}/faults/${fault}`, { method });
    const body = await response.text();
    if (!response.ok) throw new Error(`${method} /faults/${fault}: ${response.status} ${body}`);
  }

  /** Sends orders at an even pace until the signal, whatever becomes of them. */
  async sendOrders(perSecond: number, signal: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    for (let sent = 0; !signal.aborted; ) {
      const due = Math.min(((performance.now() - startedAt) / 1_000) * perSecond, sent + perSecond);
      for (; sent < due; sent++) void this.order(sent % 5 === 0);
      await sleep(20, undefined, { signal }).catch(() => {});
    }
  }

  private async order(vip: boolean): Promise<void> {
    const body = JSON.stringify({ power_user: vip });
    await fetch(`http://127.0.0.1:${this.port}/order`, { method: "POST", body })
      .then((response) => response.text())
      .catch(() => {});
  }
}
