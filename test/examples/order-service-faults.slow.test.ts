import { describe, expect, it } from "vitest";
import { OrderService } from "./order-service.js";

/** A demo in which nothing happens but the fault, once that has begun. */
async function broken(name: string): Promise<OrderService> {
  const service = await OrderService.start();
  const answer = await service.fault("PUT", name);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ name, active: true });
  await service.example.line(new RegExp(`^── fault ${name}: `));
  return service;
}

async function mend(service: OrderService, name: string): Promise<void> {
  const answer = await service.fault("DELETE", name);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ name, active: false });
  await service.example.line(new RegExp(`^── fault ${name} is over$`));
}

const depth = (service: OrderService) => service.value("queue_depth");
const workers = (service: OrderService, state: string) =>
  service.value("queue_workers", { queue_state: state });
const completed = async (service: OrderService, outcome: string) =>
  (await service.value("queue_completed_total", { queue_outcome: outcome })) ?? 0;

/** Nothing waits, and all workers are there for the next order. */
async function isWell(service: OrderService): Promise<void> {
  expect(await depth(service)).toBe(0);
  expect(await workers(service, "idle")).toBe(4);
  expect(await workers(service, "stopped")).toBe(0);
  expect(await service.value("queue_waiters", { queue_side: "get" })).toBeGreaterThan(0);
}

describe.concurrent("the fault", () => {
  it("slow-consumer makes orders wait longer than their SLA, and none is refused", async () => {
    const service = await broken("slow-consumer");
    await service.eventually(async () => {
      const regular = { queue_tier: "regular" };
      const target = (await service.value("queue_sla_target_seconds", regular)) ?? Number.NaN;
      expect(await service.value("queue_oldest_age_seconds", regular)).toBeGreaterThan(target);
      expect(await workers(service, "processing")).toBe(4);
    });
    await service.example.line(/^!! {2}regular orders wait .* \(SLA 5\.0 s\): .*; report in \S+$/);
    expect(await service.value("queue_dropped_total")).toBe(0);
    await mend(service, "slow-consumer");
    await service.eventually(() => isWell(service));
  });

  it("no-consumer leaves no worker to take what waits", async () => {
    const service = await broken("no-consumer");
    await service.eventually(async () => {
      expect(await depth(service)).toBeGreaterThan(0);
      expect(await workers(service, "idle")).toBe(0);
      expect(await workers(service, "processing")).toBe(0);
      expect(await service.value("queue_waiters", { queue_side: "get" })).toBe(0);
    });
    await mend(service, "no-consumer");
    await service.eventually(() => isWell(service));
    expect(await service.value("queue_dropped_total")).toBe(0);
  });

  it("burst fills the queue, and what comes then is dropped", async () => {
    const service = await broken("burst");
    await service.eventually(async () => {
      expect(await service.value("queue_dropped_total", { queue_reason: "rejected" })).toBeGreaterThan(200);
      expect(await depth(service)).toBeGreaterThan(180);
    });
    await mend(service, "burst");
    await service.eventually(() => isWell(service));
    expect((await service.post({ power_user: false })).status).toBe(202);
  });

  it("blocked-loop stops the event loop again and again, and scrapes get through", async () => {
    const service = await broken("blocked-loop");
    const stalls = () => service.value("queue_eventloop_stall_seconds_count");
    await service.eventually(async () => {
      expect(await stalls()).toBeGreaterThan(1);
      expect(await service.value("queue_eventloop_stall_seconds_sum")).toBeGreaterThan(2);
    });
    await mend(service, "blocked-loop");
    await service.eventually(() => isWell(service));
  });

  it("failing-handler fails most orders, while the breaker stays closed and no order waits", async () => {
    const service = await broken("failing-handler");
    await service.eventually(async () => {
      const failed = await completed(service, "failure");
      expect(failed).toBeGreaterThan(20);
      expect(failed).toBeGreaterThan(await completed(service, "success"));
      expect(await service.value("queue_retried_total")).toBeGreaterThan(0);
      expect(await service.value("queue_dead_lettered_total")).toBeGreaterThan(0);
    });
    expect(await service.value("queue_breaker_open")).toBe(0);
    await mend(service, "failing-handler");
    await service.eventually(() => isWell(service));
  });

  it("carrier-down opens the circuit breaker, and the workers wait with their orders in hand", async () => {
    const service = await broken("carrier-down");
    await service.eventually(async () => {
      expect(await service.value("queue_breaker_open", { queue_gate: "carrier" })).toBe(1);
      expect(await workers(service, "backoff")).toBe(4);
      expect(await depth(service)).toBeGreaterThan(0);
    });
    await mend(service, "carrier-down");
    await service.eventually(() => isWell(service));
    expect(await service.value("queue_breaker_open")).toBe(0);
  });
});

describe.concurrent("/faults", () => {
  it("lists what there is, whether it is active, and takes each word twice", async () => {
    const service = await OrderService.start();
    const list = async () => {
      const answer = await fetch(new URL("/faults", service.orders));
      const { faults } = (await answer.json()) as { faults: { name: string; active: boolean }[] };
      return Object.fromEntries(faults.map(({ name, active }) => [name, active]));
    };
    const none = Object.fromEntries(
      ["slow-consumer", "no-consumer", "burst", "blocked-loop", "failing-handler", "carrier-down"].map(
        (name) => [name, false],
      ),
    );
    expect(await list()).toEqual(none);
    for (let i = 0; i < 2; i++) expect((await service.fault("PUT", "no-consumer")).status).toBe(200);
    expect(await list()).toEqual({ ...none, "no-consumer": true });
    for (let i = 0; i < 2; i++) expect((await service.fault("DELETE", "no-consumer")).status).toBe(200);
    expect(await list()).toEqual(none);
  });

  it("answers 404 with the list for a fault that it doesn't know, and 405 by another method", async () => {
    const service = await OrderService.start();
    const unknown = await service.fault("PUT", "earthquake");
    expect(unknown.status).toBe(404);
    const { error, faults } = (await unknown.json()) as { error: string; faults: { name: string }[] };
    expect(error).toBe('there is no fault "earthquake"');
    expect(faults.map(({ name }) => name)).toContain("burst");
    const posted = await service.fault("POST", "burst");
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "PUT, DELETE"]);
  });

  it("is over when the service is told to stop, which finishes all orders", async () => {
    const service = await OrderService.start();
    await service.fault("PUT", "no-consumer");
    await service.eventually(async () => expect(await depth(service)).toBeGreaterThan(5));
    service.example.kill("SIGTERM");
    expect(await service.example.exited).toEqual({ code: 0, signal: null });
    expect(service.example.output).toContain("── fault no-consumer is over");
    expect(service.example.lines.at(-1)).toMatch(/^Nothing was left: /);
  });
});

it.concurrent("--host is where both ports are", async () => {
  const service = await OrderService.start(["--no-load", "--host", "localhost"]);
  expect(new URL(service.orders).hostname).toBe("localhost");
  expect(new URL(service.metrics).hostname).toBe("localhost");
  expect((await service.post({ power_user: true })).status).toBe(202);
  expect(await service.value("queue_enqueued_total")).toBe(1);
});
