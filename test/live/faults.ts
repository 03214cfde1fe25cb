import type { Demo } from "./demo.js";

/** Something that goes wrong in the demo, and the page that must tell of it. */
export interface LiveFault {
  readonly name: string;
  readonly alert: string;
  /** What pages besides where the machine is crowded, and orders are late for that. */
  readonly mayPage?: string;
  begin(demo: Demo): Promise<void>;
  end(demo: Demo): Promise<void>;
}

/** A fault that the demo makes itself. */
function demoFault(name: string, alert: string): LiveFault {
  return { name, alert, begin: (demo) => demo.break(name), end: (demo) => demo.mend(name) };
}

const killed: LiveFault = {
  name: "killed process",
  alert: "QueueTelemetryLost",
  begin: (demo) => demo.crash(),
  end: (demo) => demo.restart(),
};

/** Those of a row happen one after the other to the same process, so what one leaves behind mustn't disturb the next. */
export const FAULTS: readonly (readonly LiveFault[])[] = [
  [demoFault("slow-consumer", "QueueOldestItemOverSla")],
  [
    { ...demoFault("burst", "QueueDropping"), mayPage: "QueueSlaBudgetBurn" },
    demoFault("failing-handler", "QueueFailures"),
  ],
  [demoFault("no-consumer", "QueueNoConsumer"), demoFault("blocked-loop", "QueueEventLoopStalled")],
  [demoFault("carrier-down", "QueueBreakerOpen"), killed],
];
