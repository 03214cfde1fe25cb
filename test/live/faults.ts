import type { Demo } from "./demo.js";

/** Something that goes wrong in the demo, and the alert that must tell of it. */
export interface LiveFault {
  readonly name: string;
  readonly alert: string;
  begin(demo: Demo): Promise<void>;
  end(demo: Demo): Promise<void>;
}

/** A fault that the demo makes itself. */
function demoFault(name: string, alert: string): LiveFault {
  return { name, alert, begin: (demo) => demo.break(name), end: (demo) => demo.mend(name) };
}

export const FAULTS: readonly LiveFault[] = [
  demoFault("slow-consumer", "QueueOldestItemOverSla"),
  demoFault("no-consumer", "QueueNoConsumer"),
  demoFault("burst", "QueueDropping"),
  demoFault("blocked-loop", "QueueEventLoopStalled"),
  demoFault("failing-handler", "QueueFailures"),
  demoFault("carrier-down", "QueueBreakerOpen"),
  {
    name: "killed process",
    alert: "QueueTelemetryLost",
    begin: (demo) => demo.crash(),
    end: (demo) => demo.restart(),
  },
];
