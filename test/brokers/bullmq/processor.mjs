import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { currentCorrelationId } from "queuescope";
import { sandboxed } from "queuescope/bullmq";

/** What BullMQ runs in a child: says in which context it is. */
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()];
propagation.setGlobalPropagator(new CompositePropagator({ propagators }));

export default sandboxed(async (job) => {
  await Promise.resolve();
  if (job.data.fails) throw new RangeError("it fails in the child");
  return {
    pid: process.pid,
    id: currentCorrelationId(),
    spanId: trace.getActiveSpan()?.spanContext().spanId,
    request: propagation.getActiveBaggage()?.getEntry("request")?.value,
  };
});
