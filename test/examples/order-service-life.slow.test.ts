import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Example } from "./child.js";
import { OrderService } from "./order-service.js";

/** One consumer, and no order is ever done. */
const STUCK = ["--no-load", "--consumers", "1", "--ship-ms", "600000"];

describe.concurrent("told to stop", () => {
  it("by SIGTERM, it finishes what it accepted and exits with 0", async () => {
    const service = await OrderService.start(["--no-load", "--consumers", "1", "--ship-ms", "50"]);
    for (let i = 0; i < 5; i++) await service.post({ power_user: false });
    service.example.kill("SIGTERM");
    expect(await service.example.exited).toEqual({ code: 0, signal: null });
    expect(service.example.output).toMatch(/^SIGTERM: no new orders\. .* 20 s to finish\.$/m);
    expect(service.example.lines.at(-1)).toMatch(/^Nothing was left: /);
  });

  it("by SIGINT, it says what was left when the time is over, and exits with 0", async () => {
    const service = await OrderService.start([...STUCK, "--drain-seconds", "1"]);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const answer = (await (await service.post({ power_user: false })).json()) as { order_id: string };
      ids.push(answer.order_id);
    }
    service.example.kill("SIGINT");
    await service.example.line(/^SIGINT: no new orders/);
    const refused = await service.post({ power_user: true });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).not.toBeNull();
    expect(await service.example.exited).toEqual({ code: 0, signal: null });
    const [inFlight, ...waiting] = ids;
    expect(service.example.lines.at(-1)).toBe(
      `Left: 2 waiting (${waiting.join(", ")}) and 1 in flight (${inFlight}).`,
    );
  });

  it("a second time, it exits at once, and still says what was left", async () => {
    const service = await OrderService.start(STUCK);
    await service.post({ power_user: false });
    service.example.kill("SIGTERM");
    await service.example.line(/^SIGTERM: no new orders/);
    // As soon as it can't be an echo of the first one, which is ignored.
    const insisting = setInterval(() => service.example.kill("SIGTERM"), 100);
    expect(await service.example.exited).toEqual({ code: 143, signal: null });
    clearInterval(insisting);
    expect(service.example.lines.at(-1)).toMatch(/^Left: 0 waiting and 1 in flight \(/);
  });

  it("by one Ctrl+C that arrives twice, it finishes what it accepted", async () => {
    const service = await OrderService.start(["--no-load", "--consumers", "1", "--ship-ms", "50"]);
    for (let i = 0; i < 5; i++) await service.post({ power_user: false });
    service.example.kill("SIGINT");
    await sleep(30);
    service.example.kill("SIGINT");
    expect(await service.example.exited).toEqual({ code: 0, signal: null });
    expect(service.example.lines.at(-1)).toMatch(/^Nothing was left: /);
  });

  it("while its spans have no receiver, it exits with 0 all the same", async () => {
    const noReceiver = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
      OTEL_EXPORTER_OTLP_TIMEOUT: "500",
    };
    const service = await OrderService.start(["--no-load"], noReceiver);
    expect((await service.post({ power_user: false })).status).toBe(202);
    service.example.kill("SIGTERM");
    expect(await service.example.exited).toEqual({ code: 0, signal: null });
    expect(service.example.lines.at(-1)).toMatch(/^Nothing was left/);
  });

  it("by --seconds, it stops by itself", async () => {
    const service = await OrderService.start(["--no-load", "--seconds", "1"]);
    expect(await service.example.exited).toEqual({ code: 0, signal: null });
    expect(service.example.output).toMatch(/^1 s are over: no new orders/m);
  });
});

describe.concurrent("it does not start", () => {
  it.each([
    ["port", "--port"],
    ["metrics port", "--metrics-port"],
  ])("on a %s that is taken, and says which option helps", async (_, option) => {
    const port = await takenPort();
    const free = option === "--port" ? "--metrics-port" : "--port";
    const example = Example.run("order-service/main.ts", [option, `${port}`, free, "0"]);
    expect(await example.exited).toEqual({ code: 1, signal: null });
    expect(example.output).toBe(
      `Port ${port} is taken. Choose another one with ${option}, or 0 for any free one.`,
    );
  });

  it("with an option that makes no sense", async () => {
    const example = Example.run("order-service/main.ts", ["--port", "70000"]);
    expect(await example.exited).toEqual({ code: 1, signal: null });
    expect(example.output).toBe('--port must be a whole number from 0 to 65535, not "70000"');
  });
});

function takenPort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    server.unref();
  });
}
