import type { BrokerAdapter, BrokerFacts } from "../../contracts/index.js";
import type { Recording } from "./recording.js";

/** What the suite makes of a message. Rejects where the message's handler is to fail. */
export type HandleMessage = (text: string, own?: unknown) => Promise<void>;

/** What a client is opened for. */
export interface BrokerSetting {
  /** No other case has a queue of this name, and it is empty. */
  readonly queue: string;
  /** A message whose handler fails is delivered so many times at most. */
  readonly deliveries: 1 | 2;
  /** Whether another instrumentation traces the client: only where the kind has `isTracedElsewhere`. */
  readonly isTracedElsewhere: boolean;
}

/** A client that sends messages to one queue. The suite instruments `client`, right after it was opened. */
export interface BrokerProducer<C extends object> {
  readonly client: C;
  /** Sends one message, in the caller's async context. Resolves when the broker has it, and fails as the engine does. The options are to reach the engine as they are. */
  send(text: string, options?: object): Promise<unknown>;
  close(): unknown;
}

/** A client that consumes one queue, one message at a time. The suite instruments `client`, right after it was opened. */
export interface BrokerConsumer<C extends object> {
  readonly client: C;
  /**
   * From now on each message is handled by `handle`, with its text and with what it shows of the kind's `own` options. What that rejects with is the handler's failure: the
   * message comes again, or is given up after `deliveries`.
   */
  consume(handle: HandleMessage): unknown;
  /** Ends at once, and gives up what is being handled: the broker delivers that to another consumer. Resolves when the client knows. */
  abandon(): unknown;
  close(): unknown;
}

/** Figures that an adapter's `poll` may give. */
export type PolledFigure = keyof Pick<
  BrokerFacts,
  "depth" | "oldestAt" | "inFlight" | "delayed" | "consumers"
>;

/**
 * One kind of broker, with its adapter, as {@link brokerConformance} drives it, in two processes. What is optional is what only some can do; the cases
 * about what a kind does not offer are left out of the suite.
 */
export interface BrokerKind<C extends object> {
  /** Makes an adapter. It is that of one process. */
  adapter(): BrokerAdapter<C>;
  /** Registers an SDK with the process, in place of any that is there, with the W3C propagators for trace context and baggage. */
  record(): Recording;
  producer(setting: BrokerSetting): Promise<BrokerProducer<C>> | BrokerProducer<C>;
  consumer(setting: BrokerSetting): Promise<BrokerConsumer<C>> | BrokerConsumer<C>;
  /** Options for `send` that have this carrier where a producer with telemetry of any kind has its own. */
  carrying(carrier: Readonly<Record<string, unknown>>): object;
  /** Options for `send` as users have them, and what the consumer sees of them. */
  readonly own: { readonly options: object; readonly seen: unknown };
  /** Options for `send` with which the engine refuses the message. */
  readonly refused?: object;
  /** Whether the engine tells the adapter what a handler has failed with. Default: `told`. */
  readonly errors?: "told" | "untold";
  /** What the adapter's `poll` gives. Default: nothing. */
  readonly polls?: readonly PolledFigure[];
  /** Whether clients can be opened that another instrumentation traces. Default: no. */
  readonly isTracedElsewhere?: boolean;
  /** A script that calls {@link serveBroker} with this kind. Left out, there are no cases with two processes. */
  readonly otherProcess?: {
    readonly script: string | URL;
    readonly args?: readonly string[];
    /** Of Node. Default: those of this process. */
    readonly execArgv?: readonly string[];
  };
  /** For how long is waited for what does not come, in milliseconds. Default: 60,000. */
  readonly limitMs?: number;
}

/** Any kind: what the cases are written for. */
// biome-ignore lint/suspicious/noExplicitAny: the client is passed on to its own kind only
export type AnyBrokerKind = BrokerKind<any>;
