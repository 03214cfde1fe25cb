import { propagation } from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { collect, cpuMicros } from "../../harness.js";
import { registerMetrics } from "../telemetry.js";

/** How the messages of a process are looked at. */
export type How = "bare" | "ours" | "ours, no parent" | "theirs";

/** Sends so many messages, and handles them all. */
export type Batch = (count: number) => Promise<void>;

/** What a batch took. */
export interface Spent {
  readonly micros: number;
  readonly spans: number;
}

/** Options of `instrument` for a way of ours; undefined for the others. */
export function tracesOf(how: How): { readonly traces: "always" | "with-parent" } | undefined {
  if (how === "ours") return { traces: "always" };
  return how === "ours, no parent" ? { traces: "with-parent" } : undefined;
}

/** An SDK that records every span, and drops it; says how many those were. The bare contestant has it, too. */
export function registerSdk(): () => number {
  let spans = 0;
  const counting = {
    onStart() {},
    onEnd() {
      spans++;
    },
    async forceFlush() {},
    async shutdown() {},
  };
  new NodeTracerProvider({ spanProcessors: [counting] }).register();
  const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()];
  propagation.disable();
  propagation.setGlobalPropagator(new CompositePropagator({ propagators }));
  registerMetrics();
  return () => spans;
}

/** Runs batches as the parent asks for them, until that is gone. */
export function serve(batch: Batch, spans: () => number): void {
  process.once("disconnect", () => process.exit());
  process.on("message", async (count: number) => {
    await collect();
    const [spansBefore, before] = [spans(), cpuMicros()];
    await batch(count);
    process.send!({ micros: cpuMicros() - before, spans: spans() - spansBefore } satisfies Spent);
  });
  process.send!("ready");
}
