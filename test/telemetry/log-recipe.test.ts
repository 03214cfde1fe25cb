import { readFileSync } from "node:fs";
import { trace } from "@opentelemetry/api";
import { type Logger, type LoggerOptions, pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { currentCorrelationId, FifoQueue, instrument } from "../../src/index.js";
import { SpanCapture } from "../support/telemetry-capture.js";

const DOCS = readFileSync(new URL("../../docs/telemetry.md", import.meta.url), "utf8");

/** The logger of the docs, word for word, except that it writes into `lines`. */
function recipe(lines: Record<string, unknown>[]): Logger {
  const code = DOCS.match(/```js pino\n([\s\S]*?)```/)?.[1];
  if (code === undefined) throw new Error("docs/telemetry.md has no pino recipe");
  const body = code.replace(/^import .*$/gm, "").replace("export const log =", "return");
  const write = (line: string) => lines.push(JSON.parse(line));
  const make = new Function("trace", "pino", "currentCorrelationId", body);
  return make(trace, (options: LoggerOptions) => pino(options, { write }), currentCorrelationId);
}

let capture: SpanCapture;
beforeEach(() => {
  capture = new SpanCapture();
});
afterEach(() => capture.stop());

it("each line that a handler logs has the correlation ID and the trace of its item", async () => {
  const lines: Record<string, unknown>[] = [];
  const log = recipe(lines);
  const queue = instrument(new FifoQueue<string>(), { name: "orders" });
  await queue.put("a", { correlationId: "c-1" });
  await queue.put("b");
  log.info("outside");
  const handled = [await queue.receive(), await queue.receive()].map((delivery) =>
    delivery.run(async () => {
      await Promise.resolve();
      log.info({ item: delivery.item }, "handled");
    }),
  );
  await Promise.all(handled);
  const [outside, first, second] = lines;
  const [a, b] = await capture.named("process orders");
  const sent = await capture.named("send orders");
  expect(outside).not.toHaveProperty("correlation_id");
  expect(outside).not.toHaveProperty("trace_id");
  expect(first).toMatchObject({
    msg: "handled",
    item: "a",
    correlation_id: "c-1",
    trace_id: a?.spanContext().traceId,
    span_id: a?.spanContext().spanId,
  });
  expect(second).toMatchObject({
    item: "b",
    correlation_id: sent[1]?.spanContext().traceId,
    trace_id: b?.spanContext().traceId,
  });
});

it("works without any SDK, with correlation IDs alone", async () => {
  await capture.stop();
  const lines: Record<string, unknown>[] = [];
  const log = recipe(lines);
  const queue = instrument(new FifoQueue<string>(), { name: "orders" });
  await queue.put("a");
  const delivery = await queue.receive();
  delivery.run(() => log.info("handled"));
  expect(lines[0]).toMatchObject({ correlation_id: delivery.correlationId });
  expect(lines[0]).not.toHaveProperty("trace_id");
});
