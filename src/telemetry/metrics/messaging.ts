import { Histogram, type HistogramSinks } from "./histogram.js";
import { MESSAGING_BOUNDS } from "./instruments.js";
import { attributesOf, Labels, label } from "./labels.js";

/** How many kinds of errors have series of their own. */
const MAX_ERROR_TYPES = 20;

/** One operation of a broker's client on a queue: how often, and how long it took, by what it failed with. */
class Operation {
  readonly labels: Labels;
  readonly durations = new Map<string | undefined, Histogram>();
  count = 0;

  constructor(
    private readonly instrument: "messaging.client.operation.duration" | "messaging.process.duration",
    of: Labels,
    name: string,
    private readonly sinks: HistogramSinks,
  ) {
    this.labels = new Labels(attributesOf(of, label("messaging.operation.name", name)));
  }

  /** `errorType` is what it failed with, if it did. */
  took(ms: number, errorType: string | undefined): void {
    const { durations } = this;
    const isKnown = errorType === undefined || durations.has(errorType) || durations.size <= MAX_ERROR_TYPES;
    const kind = isKnown ? errorType : "_OTHER";
    let duration = durations.get(kind);
    if (duration === undefined) {
      const more = kind === undefined ? undefined : new Labels({ "error.type": kind });
      const labels = new Labels(attributesOf(this.labels, more));
      duration = new Histogram(this.instrument, labels, this.sinks, MESSAGING_BOUNDS);
      durations.set(kind, duration);
    }
    duration.record(ms);
  }
}

/** What OpenTelemetry's conventions for messaging count of a queue, beside our own metrics. */
export class Messaging {
  readonly send: Operation;
  /** Taken, and then settled. */
  readonly process: Operation;

  constructor(system: string, queue: string, sinks: HistogramSinks) {
    const of = new Labels({ "messaging.system.name": system, "messaging.destination.name": queue });
    this.send = new Operation("messaging.client.operation.duration", of, "send", sinks);
    this.process = new Operation("messaging.process.duration", of, "process", sinks);
  }
}
