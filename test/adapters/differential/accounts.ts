import { context, trace } from "@opentelemetry/api";
import { type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { expect } from "vitest";
import { type Collected, MetricCapture, registerContextManager } from "../../support/telemetry-capture.js";
import type { Other } from "./differential.js";
import type { Session } from "./session.js";
import { NAME, type Side, Wrapped, type Wrapping, wrapping } from "./sides.js";

const COUNTERS = [
  "queue.enqueued",
  "queue.dequeued",
  "queue.dropped",
  "queue.completed",
  "queue.context.lost",
  "queue.telemetry.errors",
] as const;

type Counts = Record<(typeof COUNTERS)[number], number>;

/** Makes spans real, and needs no timer for that, as an exporter would. */
class SpanCount implements SpanProcessor {
  /** How many have begun and haven't ended. */
  open = 0;

  constructor() {
    registerContextManager();
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [this] }));
  }

  onStart(): void {
    this.open++;
  }

  onEnd(): void {
    this.open--;
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

/** Wraps, and holds what the metrics say against itself, run by run. Tracing is real, too. */
export class Accounts implements Other<Wrapping> {
  readonly ways = wrapping;
  private readonly metrics = new MetricCapture("producer");
  private readonly spans = new SpanCount();
  private before = {} as Counts;

  /** `guesses`: where a queue is known to tell less, so that who has started is a guess if tasks call the queue in turn. */
  constructor(private readonly guesses: (way: Wrapping) => boolean = () => false) {}

  async enter(way: Wrapping): Promise<Side> {
    this.spans.open = 0;
    this.before = counts(await this.metrics.collect());
    return new Wrapped(way);
  }

  async check(side: Side, run: Session<never>): Promise<void> {
    const collected = await this.metrics.collect();
    const now = counts(collected);
    const [enqueued, dequeued, dropped, completed, lost, errors] = COUNTERS.map(
      (name) => now[name] - this.before[name],
    ) as [number, number, number, number, number, number];
    const [depth, inFlight] = [sum(collected, "queue.depth"), sum(collected, "queue.inflight")];
    const books = JSON.stringify({ enqueued, dequeued, dropped, completed, depth, inFlight, lost, errors });
    expect(errors, `no exception of ours: ${books}`).toBe(0);
    const { isWhole, wrapping } = side as Wrapped;
    if (!isWhole) return;
    expect(dequeued + dropped + depth, `nothing is lost: ${books}`).toBe(enqueued);
    if (!run.isSettled) return;
    expect(inFlight, `nothing is in flight: ${books}`).toBe(0);
    if (run.wasReentered && this.guesses(wrapping)) return;
    expect(this.spans.open, `every span has ended: ${books}`).toBe(0);
    expect(completed, `what was taken is completed: ${books}`).toBe(dequeued);
  }

  async stop(): Promise<void> {
    await this.metrics.stop();
    trace.disable();
    context.disable();
  }
}

function counts(collected: Collected): Counts {
  return Object.fromEntries(COUNTERS.map((name) => [name, sum(collected, name)])) as Counts;
}

/** Over all tiers, outcomes or reasons. */
function sum(collected: Collected, name: string): number {
  return collected
    .points(name, { "queue.name": NAME })
    .reduce((total, { value }) => total + (value as number), 0);
}
