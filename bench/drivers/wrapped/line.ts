import { context, ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";
import type { Drive } from "../../harness.js";
import { Gate } from "../gate.js";
import type { HandwrittenTasks } from "./handwritten-tasks.js";

/** Tasks in one cycle, and how deep a queue is filled before it is drained. */
export const TASKS = 1_000;
/** How many tasks a queue runs at a time. */
export const CONCURRENCY = 8;

/** Puts one task. It does next to nothing, and leaves the gate. */
export type Put = (item: number) => void;

/** What is done to a queue and its worker; for the bare one nothing is. */
export interface Wrapping {
  queue<Q extends object>(queue: Q): Q;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the worker takes and returns
  worker<W extends (...args: any[]) => any>(worker: W): W;
}

/** A library's queue as it is, or wrapped in one line; and with telemetry written by hand around it. */
export interface Lines {
  plain(gate: Gate, wrapping: Wrapping): Put;
  handwritten(gate: Gate, tasks: HandwrittenTasks): Put;
}

/** Every task is put by the same request. */
const REQUEST = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
});

/** Never has more than `depth` tasks under way, and waits at the end of each cycle until all of them are through. */
export function drive(depth: number, line: (gate: Gate) => Put): Drive {
  const gate = new Gate(depth);
  const put = line(gate);
  return (cycles) =>
    context.with(REQUEST, async () => {
      for (let i = cycles * TASKS; i > 0; i--) {
        if (gate.isFull) await gate.room();
        gate.enter();
        put(i);
        if (i % TASKS === 1) await gate.passed();
      }
    });
}
