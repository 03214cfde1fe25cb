import assert from "node:assert/strict";
import { context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { instrument, uninstrument } from "../../adapters/instrument.js";
import type { BrokerAdapter } from "../../contracts/index.js";
import { currentCorrelationId, withCorrelationId } from "../../telemetry/context/correlation.js";
import type { AnyBrokerKind, BrokerConsumer, BrokerProducer } from "./kind.js";
import { type Handled, type Recording, type Report, reportOf } from "./recording.js";

/** How a client is opened. */
export interface How {
  /** Default: 1. */
  readonly deliveries?: 1 | 2;
  /** Default: `link`. */
  readonly relation?: "link" | "parent";
  /** Default: no. */
  readonly isTracedElsewhere?: boolean;
  /** `none`: the client is bare. `polling`: it asks the broker, too. Default: `silent`. */
  readonly telemetry?: "none" | "silent" | "polling";
}

/** What is to become of a message. */
export interface Plan {
  readonly id: number;
  /** So often its handler fails, in each process. */
  readonly fails?: number;
  /** Its handler waits until the gate is open. */
  readonly waits?: boolean;
}

const POLL_EVERY_MS = 100;
const LOOK_EVERY_MS = 30;
const DEFAULT_LIMIT_MS = 60_000;

type Client = BrokerProducer<object> | BrokerConsumer<object>;

/** What one process does in a case, and what it sees of it. */
export class Side {
  readonly recording: Recording;
  readonly handled: Handled[] = [];
  /** How many handlers were called. */
  started = 0;
  private readonly adapter: BrokerAdapter;
  private readonly opened: Client[] = [];
  private readonly producers = new Map<string, BrokerProducer<object>>();
  private readonly failures = new Map<number, number>();
  private readonly gate: Promise<void>;
  /** What waits goes on. */
  readonly openGate: () => void;

  constructor(private readonly kind: AnyBrokerKind) {
    this.recording = kind.record();
    this.adapter = kind.adapter();
    let open!: () => void;
    this.gate = new Promise((resolve) => {
      open = resolve;
    });
    this.openGate = open;
  }

  async openProducer(queue: string, how: How = {}, adapter = this.adapter): Promise<BrokerProducer<object>> {
    const producer = await this.kind.producer(settingOf(queue, how));
    this.keep(producer, queue, how, adapter);
    return producer;
  }

  /** It consumes nothing yet. */
  async openConsumer(queue: string, how: How = {}): Promise<BrokerConsumer<object>> {
    const consumer = await this.kind.consumer(settingOf(queue, how));
    this.keep(consumer, queue, how, this.adapter);
    return consumer;
  }

  /** Sends a message for each plan, in a request of its own. */
  async send(queue: string, plans: readonly Plan[], how: How = {}): Promise<void> {
    const key = JSON.stringify([queue, how]);
    const producer = this.producers.get(key) ?? (await this.openProducer(queue, how));
    this.producers.set(key, producer);
    for (const plan of plans) await inRequest(plan.id, () => producer.send(JSON.stringify(plan)));
  }

  async consume(queue: string, how: How = {}): Promise<BrokerConsumer<object>> {
    const consumer = await this.openConsumer(queue, how);
    await consumer.consume(this.handle);
    return consumer;
  }

  async report(queue: string): Promise<Report> {
    return reportOf(this.recording, queue, this.handled);
  }

  /** What is known once so many handlers are over, and so many process spans. */
  reportOn(queue: string, handled: number, processed = handled): Promise<Report> {
    return this.until(
      () => this.report(queue),
      (report) => report.handled.length >= handled && report.processes().length >= processed,
      (report) =>
        `${report?.handled.length} of ${handled} handlers are over, and ${report?.processes().length} of ${processed} process spans`,
    );
  }

  /** What is known once so many deliveries count as completed. */
  async reportOnCompleted(queue: string, completed: number): Promise<Report> {
    await this.until(
      () => this.report(queue),
      (report) => report.own("queue.completed") >= completed,
      (report) =>
        `${report?.own("queue.completed")} of ${completed} deliveries are completed, and ${report?.handled.length} handlers are over`,
    );
    // One collection may be half of before and half of after.
    return this.report(queue);
  }

  /** Resolves when so many handlers were called. */
  async begun(count: number): Promise<void> {
    await this.until(
      () => this.started,
      (started) => started >= count,
      (started) => `${started} handlers were called, not ${count}`,
    );
  }

  async until<V>(
    look: () => V | Promise<V>,
    isSo: (value: V) => boolean,
    otherwise: (value: V | undefined) => string,
  ): Promise<V> {
    const { limitMs = DEFAULT_LIMIT_MS } = this.kind;
    const deadline = performance.now() + limitMs;
    for (;;) {
      const value = await look();
      if (isSo(value)) return value;
      if (performance.now() > deadline) assert.fail(`after ${limitMs} ms: ${otherwise(value)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async close(): Promise<void> {
    this.openGate();
    for (const opened of this.opened.reverse()) {
      try {
        uninstrument(opened.client);
        await opened.close();
      } catch {
        // It may be closed already.
      }
    }
    await this.recording.stop();
  }

  readonly handle = async (text: string, own?: unknown): Promise<void> => {
    const { id, fails = 0, waits = false } = JSON.parse(text) as Plan;
    this.started++;
    const [atFirst, failures] = [here(), this.failures.get(id) ?? 0];
    await (waits ? this.gate : Promise.resolve());
    const atLast = here();
    this.handled.push({
      id,
      own,
      correlationIds: [atFirst.correlationId, atLast.correlationId],
      requests: [atFirst.request, atLast.request],
      spanIds: [atFirst.spanId, atLast.spanId],
    });
    if (failures >= fails) return;
    this.failures.set(id, failures + 1);
    throw new TypeError("the handler fails");
  };

  instrument(client: object, queue: string, how: How = {}, adapter = this.adapter): void {
    instrument(client, {
      adapter,
      ...(adapter.queueOf?.(client) === undefined ? { queues: { [queue]: {} } } : {}),
      poll: how.telemetry === "polling" ? { everyMs: POLL_EVERY_MS } : false,
      relation: how.relation,
    } as never);
  }

  private keep(opened: Client, queue: string, how: How, adapter: BrokerAdapter): void {
    this.opened.push(opened);
    if (how.telemetry !== "none") this.instrument(opened.client, queue, how, adapter);
  }
}

/** Calls `fn` as the request of that number would, with a correlation ID and baggage of its own. */
export function inRequest<R>(id: number, fn: () => R): R {
  const baggage = propagation.createBaggage({ request: { value: `${id}` } });
  return context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () =>
    withCorrelationId(`request ${id}`, fn),
  );
}

function here() {
  return {
    correlationId: currentCorrelationId(),
    request: propagation.getActiveBaggage()?.getEntry("request")?.value,
    spanId: trace.getActiveSpan()?.spanContext().spanId,
  };
}

function settingOf(queue: string, { deliveries = 1, isTracedElsewhere = false }: How) {
  return { queue, deliveries, isTracedElsewhere };
}
