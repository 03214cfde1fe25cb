import { trace } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { openSpans, startTelemetry } from "../../src/telemetry/sdk/start.js";
import { Waits } from "../../src/waits/waits.js";
import { OtlpReceiver } from "../support/otlp-receiver.js";
import { SpanCapture, signal } from "../support/telemetry-capture.js";

const waits = new Waits();
let count = 0;

beforeEach(() => waits.start());
afterEach(() => {
  waits.stop();
  vi.unstubAllEnvs();
});

/** What a task is said to wait for while it has two spans open, then one, then none. */
async function spansOfTask(): Promise<string[][]> {
  const queue = instrument(new FifoQueue<string>({ capacity: 1 }), { name: `spans-${count++}` });
  const tracer = trace.getTracer("shop", "1.0.0");
  await queue.put("item");
  const delivery = await queue.receive();
  const seen: string[][] = [];
  const look = () =>
    seen.push(waits.of(delivery).map(({ kind, label, state }) => `${kind}: ${label}, ${state}`));
  const resumed = signal();
  const result = delivery.run(async () => {
    const outer = tracer.startSpan("ship");
    await resumed.promise;
    const inner = tracer.startSpan("print the label");
    look();
    inner.end();
    look();
    outer.end();
    look();
  });
  resumed.give();
  await result;
  return seen;
}

const EXPECTED = [["span: ship, shop", "span: print the label, shop"], ["span: ship, shop"], []];

describe("open spans", () => {
  it("are what a task waits for, its own span left out", async () => {
    const capture = new SpanCapture({ spanProcessors: [openSpans()] });
    expect(await spansOfTask()).toEqual(EXPECTED);
    await capture.stop();
  });

  it("of a put that waits for room count for the task that puts", async () => {
    const capture = new SpanCapture({ spanProcessors: [openSpans()] });
    const full = instrument(new FifoQueue<string>({ capacity: 1 }), { name: "full" });
    await full.put("first");
    const queue = instrument(new FifoQueue<string>(), { name: `spans-${count++}` });
    await queue.put("item");
    const delivery = await queue.receive();
    const result = delivery.run(async () => await full.put("second"));
    expect(waits.of(delivery).map(({ label }) => label)).toEqual(["send full", "full"]);
    await full.get();
    await result;
    expect(waits.of(delivery)).toEqual([]);
    await capture.stop();
  });

  it("are known to who uses startTelemetry, and exported all the same", async () => {
    for (const variable of Object.keys(process.env)) {
      if (variable.startsWith("OTEL_")) vi.stubEnv(variable, undefined);
    }
    const receiver = await OtlpReceiver.start();
    const telemetry = await startTelemetry({
      serviceName: "shop",
      prometheus: { port: 0 },
      otlp: { endpoint: receiver.endpoint },
    });
    expect(await spansOfTask()).toEqual(EXPECTED);
    await telemetry.shutdown();
    expect(receiver.spans.map(({ name }) => name)).toContain("print the label");
    await receiver.stop();
  });

  it("are not looked at while no task is monitored", async () => {
    waits.stop();
    const capture = new SpanCapture({ spanProcessors: [openSpans()] });
    expect(await spansOfTask()).toEqual([[], [], []]);
    await capture.stop();
  });
});
