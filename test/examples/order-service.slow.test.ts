import { request } from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import { OrderService } from "./order-service.js";
import { attribute, OtlpReceiver } from "./otlp-receiver.js";

let service: OrderService;

beforeAll(async () => {
  service = await OrderService.start();
});

describe("an order", () => {
  it("is answered at once, with its ID and correlation ID, and processed in its caller's trace", async () => {
    const collector = await OtlpReceiver.listen();
    const service = await OrderService.start(["--no-load"], collector.env);
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

    const answer = await service.post({ power_user: "True" }, { traceparent, "x-correlation-id": "cart-7" });
    expect(answer.status).toBe(202);
    expect(answer.headers.get("x-correlation-id")).toBe("cart-7");
    expect(await answer.json()).toEqual({
      order_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      correlation_id: "cart-7",
      tier: "vip",
    });

    const [post] = await collector.named("POST /order", 1);
    const [send] = await collector.named("send orders", 1);
    const [process] = await collector.named("process orders", 1);
    expect(post).toMatchObject({ traceId, parentSpanId: "b7ad6b7169203331", kind: 2 });
    expect(send).toMatchObject({ traceId, parentSpanId: post!.spanId, kind: 4 });
    // It has hardly waited, so that it belongs to the request.
    expect(process).toMatchObject({ traceId, parentSpanId: send!.spanId, kind: 5 });
    expect(attribute(process!, "messaging.message.conversation_id")).toBe("cart-7");
    expect(attribute(process!, "queue.tier")).toBe("vip");
  });

  it("has the trace's ID as its correlation ID if the caller sends none, and always has one", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const traced = await service.post(
      { power_user: true },
      { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    );
    expect(await traced.json()).toMatchObject({ correlation_id: traceId, tier: "vip" });
    const bare = await service.post({ power_user: false });
    expect(await bare.json()).toMatchObject({ correlation_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
  });

  it("of a VIP is processed before the regular one that came before it", async () => {
    const collector = await OtlpReceiver.listen();
    const args = ["--no-load", "--consumers", "1", "--ship-ms", "3000"];
    const service = await OrderService.start(args, collector.env);
    // All come while the first one is shipped.
    for (const id of ["first", "regular"]) {
      await service.post({ power_user: "False" }, { "x-correlation-id": id });
    }
    await service.post({ power_user: "True" }, { "x-correlation-id": "vip" });

    const processed = await collector.named("process orders", 3);
    processed.sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
    expect(processed.map((span) => attribute(span, "messaging.message.conversation_id"))).toEqual([
      "first",
      "vip",
      "regular",
    ]);
  });
});

describe("/metrics", () => {
  it("shows the series of the telemetry contract", async () => {
    await service.post({ power_user: "True" });
    const text = await service.scrape();
    for (const name of [
      "queue_depth",
      "queue_oldest_age_seconds",
      "queue_wait_seconds_bucket",
      "queue_put_seconds_bucket",
      "queue_get_seconds_bucket",
      "queue_enqueued_total",
      "queue_dropped_total",
      "queue_sla_target_seconds",
      "queue_sla_items_total",
    ]) {
      for (const tier of ["vip", "regular"]) {
        const labels = /put|get_seconds_b/.test(name) ? "" : `.*queue_tier="${tier}"`;
        expect(text).toMatch(new RegExp(`^${name}\\{queue_name="orders"${labels}`, "m"));
      }
    }
    for (const name of ["queue_capacity", "queue_inflight", "queue_process_seconds_bucket"]) {
      expect(text).toMatch(new RegExp(`^${name}\\{queue_name="orders"`, "m"));
    }
    expect(text).toMatch(/^queue_enqueued_total\{.*queue_tier="vip".*\} [1-9]\d*$/m);
  });
});

describe("what is no order is refused", () => {
  it("with 400 and a reason, if the body is malformed", async () => {
    const enqueued = async () => (await service.scrape()).match(/^queue_enqueued_total.*$/gm);
    const before = await enqueued();
    const refused: [body: string, reason: RegExp][] = [
      ["", /^the body is empty$/],
      ["{", /^the body is not JSON: /],
      ["[]", /^the body must be a JSON object$/],
      ["null", /^the body must be a JSON object$/],
      ["{}", /^power_user is missing$/],
      ['{"power_user": "perhaps"}', /^power_user must be true, false, "True" or "False"$/],
      ['{"power_user": 1}', /^power_user must be /],
      ['{"power_user": null}', /^power_user must be /],
    ];
    for (const [body, reason] of refused) {
      const answer = await service.post(body);
      expect(answer.status, body).toBe(400);
      expect(await answer.json()).toEqual({ error: expect.stringMatching(reason) });
    }
    expect(await enqueued()).toEqual(before);
  });

  it("with 413 if the body is too large, announced or not", async () => {
    const large = JSON.stringify({ power_user: true, note: "x".repeat(200_000) });
    expect((await service.post(large)).status).toBe(413);
    expect(await postChunked(service.orders, large)).toBe(413);
    expect((await service.post({ power_user: true })).status).toBe(202);
  });

  it("with 404 elsewhere and 405 by another method", async () => {
    expect((await fetch(new URL("/", service.orders))).status).toBe(404);
    const got = await fetch(service.orders);
    expect(got.status).toBe(405);
    expect(got.headers.get("allow")).toBe("POST");
  });

  it("with 503 and Retry-After if the queue is full", async () => {
    // One consumer, which never gets done.
    const args = ["--no-load", "--consumers", "1", "--ship-ms", "600000", "--capacity", "1"];
    const service = await OrderService.start(args);
    expect((await service.post({ power_user: false })).status).toBe(202);
    expect((await service.post({ power_user: false })).status).toBe(202);
    const refused = await service.post({ power_user: false });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toEqual({ error: "1 orders wait already" });
    expect(await service.scrape()).toMatch(
      /^queue_dropped_total\{.*queue_tier="regular",queue_reason="rejected".*\} 1$/m,
    );
    await service.example.line(/depth +1 .* in flight +1 +drops +1$/);
  });
});

/** Sends the body without saying how long it is. */
function postChunked(url: string, body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: "POST", headers: { "transfer-encoding": "chunked" } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
