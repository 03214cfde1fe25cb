import type { ConformanceCase } from "../case.js";
import { type BrokerCase, Stage } from "./case.js";
import { contexts } from "./cases/context.js";
import { figures } from "./cases/figures.js";
import { outcomes } from "./cases/outcomes.js";
import { transparency } from "./cases/users.js";
import type { BrokerKind } from "./kind.js";

const CASES: readonly BrokerCase[] = [...contexts, ...outcomes, ...transparency, ...figures];

/**
 * What every adapter of a broker has to do, as tests for whichever runner, against the real server, in this process and another one: `for (const { name,
 * run } of brokerConformance(kind)) it(name, run)`. Cases about what the kind does not offer are not in the list. Run one after the other: each
 * registers an SDK with the process. Each has a queue of its own; it takes a few seconds at most, and the kind's `limitMs` when it fails.
 *
 * @example
 * import { test } from "node:test";
 * import { metrics, propagation, trace } from "@opentelemetry/api";
 * import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
 * import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
 * import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
 * import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
 * import { Queue, Worker } from "bullmq";
 * import { bullmq } from "queuescope/bullmq";
 *
 * const { REDIS_PORT } = process.env;
 * const connection = { host: "127.0.0.1", port: Number(REDIS_PORT) };
 *
 * const kind: BrokerKind<Queue | Worker> = {
 *   adapter: bullmq,
 *   record() {
 *     for (const api of [trace, metrics, propagation]) api.disable();
 *     const exporter = new InMemorySpanExporter();
 *     new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }).register({
 *       propagator: new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
 *     });
 *     const reader = new PeriodicExportingMetricReader({
 *       exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
 *       metricProducers: [metricProducer()],
 *     });
 *     metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
 *     return {
 *       spans: () => exporter.getFinishedSpans(),
 *       metrics: async () => (await reader.collect()).resourceMetrics.scopeMetrics.flatMap((each) => each.metrics),
 *       stop: () => reader.shutdown(),
 *     };
 *   },
 *   async producer({ queue, deliveries }) {
 *     const client = new Queue(queue, { connection });
 *     await client.waitUntilReady();
 *     const send = (text: string, options: object = { attempts: deliveries }) => client.add("job", text, options);
 *     return { client, send, close: () => client.close() };
 *   },
 *   consumer({ queue }) {
 *     let handle: HandleMessage;
 *     const locks = { lockDuration: 3_000, stalledInterval: 300 };
 *     const client = new Worker(queue, ({ data, opts }) => handle(data, opts.priority), { connection, autorun: false, ...locks });
 *     client.on("error", () => {});
 *     const close = () => client.close(true);
 *     return {
 *       client,
 *       consume(each) {
 *         handle = each;
 *         client.run().catch(() => {});
 *       },
 *       abandon: close,
 *       close,
 *     };
 *   },
 *   carrying: (carrier) => ({ telemetry: { metadata: JSON.stringify(carrier) } }),
 *   own: { options: { priority: 3 }, seen: 3 },
 *   refused: { jobId: "0" },
 *   polls: ["depth", "oldestAt", "inFlight", "delayed", "consumers"],
 *   // With `otherProcess`, a script that calls `serveBroker(kind)`, there are the cases with two processes, too.
 * };
 *
 * for (const { name, run } of brokerConformance(kind)) test(name, { skip: REDIS_PORT === undefined }, run);
 */
export function brokerConformance<C extends object>(kind: BrokerKind<C>): readonly ConformanceCase[] {
  return CASES.filter(({ isFor }) => isFor === undefined || isFor(kind)).map(({ name, run }) => ({
    name,
    async run() {
      const stage = new Stage(kind);
      try {
        await run(stage);
      } finally {
        await stage.close();
      }
    },
  }));
}
