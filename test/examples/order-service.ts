import { vi } from "vitest";
import { Example } from "./child.js";

/** Longest wait, in milliseconds, for what the service is to show. */
const PATIENCE_MS = 180_000;

/** The order service on free ports, without its load unless told otherwise. */
export class OrderService {
  private constructor(
    readonly example: Example,
    readonly orders: string,
    readonly metrics: string,
  ) {}

  static async start(
    args: readonly string[] = ["--no-load"],
    env: Record<string, string> = {},
  ): Promise<OrderService> {
    const ports = ["--port", "0", "--metrics-port", "0"];
    const example = Example.run("order-service/main.ts", [...ports, ...args], env);
    const [, orders] = await example.line(/^Orders +(\S+)/);
    const [, metrics] = await example.line(/^Metrics +(\S+)/);
    return new OrderService(example, orders!, metrics!);
  }

  post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return fetch(this.orders, { method: "POST", body: text, headers });
  }

  async scrape(): Promise<string> {
    return (await fetch(this.metrics)).text();
  }

  /** Begins a fault by PUT, ends it by DELETE. */
  fault(method: string, name: string): Promise<Response> {
    return fetch(new URL(`/faults/${name}`, this.orders), { method });
  }

  /** The sum of a metric's series that have the labels; undefined where there is none. */
  async value(metric: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const series = (await this.scrape())
      .split("\n")
      .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
      .filter((line) => wanted.every((label) => line.includes(label)));
    if (series.length === 0) return undefined;
    return series.reduce((sum, line) => sum + Number(/ (\S+)$/.exec(line)?.[1]), 0);
  }

  /** Resolves when the metrics are what they are to be; rejects with the last complaint when they never are. */
  eventually(check: () => Promise<void>): Promise<void> {
    return vi.waitFor(check, { timeout: PATIENCE_MS, interval: 100 });
  }
}
