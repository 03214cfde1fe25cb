import { Example } from "./child.js";

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
}
