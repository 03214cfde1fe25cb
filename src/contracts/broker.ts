/** Reads one header of a message; what it gives is the producer's, so it may be anything. May throw. */
export type ReadHeader = (name: string) => unknown;

/** Where a message is sent. */
export interface Destination {
  /** What spans call it, such as `exchange:key`. */
  readonly name: string;
  /** The queue whose numbers it counts for. Default: the name. */
  readonly queue?: string | undefined;
  /** The message's priority, where queues of this engine have priorities. */
  readonly priority?: number | undefined;
  /** What spans say besides. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Whether another instrumentation makes the spans of this client: then there are none of ours, and the carrier has the correlation ID only. */
  readonly isTracedElsewhere?: boolean | undefined;
}

/** A message on its way to the broker. */
export interface Sending {
  /** What is to travel with the message, as headers or whatever the engine has for them; empty where nothing is to. */
  readonly carrier: Readonly<Record<string, string>>;
  /** Calls what sends, once, with the span of the put active. */
  run<R>(fn: () => R): R;
  /** The broker has it, or has refused it with an error. Only the first call counts. */
  done(error?: unknown): void;
  /** The message goes out without the carrier, because both together are too large. */
  leftOut(): void;
}

/** What is known of a delivery when it comes. */
export interface DeliveryFacts {
  readonly queue: string;
  /** 1 for the first delivery, as far as the engine tells. Default: 1. */
  readonly attempt?: number | undefined;
  /** Whether it was delivered before. Default: whether `attempt` is more than 1. */
  readonly isRedelivered?: boolean | undefined;
  /**
   * When it could first have been taken, in epoch milliseconds, by the broker's clock or else the producer's; a planned delay is over by
   * then. Default: what the carrier says. `null`: it can't be known.
   */
  readonly eligibleAt?: number | null | undefined;
  /** When it was taken, by the clock of `eligibleAt`, in epoch milliseconds. Default: now. */
  readonly takenAt?: number | undefined;
  readonly priority?: number | undefined;
  /** Whether a message without context is one that never had any, such as a scheduler's: that is no loss. */
  readonly hasNoProducer?: boolean | undefined;
  /** What spans say besides. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly isTracedElsewhere?: boolean | undefined;
}

/** A message that this process has and has not settled. */
export interface BrokerDelivery {
  readonly queue: string;
  readonly attempt: number;
  /** In milliseconds; undefined where it is not known, as of every attempt but the first. */
  readonly waitMs: number | undefined;
  readonly correlationId: string;
  readonly isSettled: boolean;
}

/**
 * What becomes of a delivery: a `success`; a `retry`, when the message comes again; a `dead` letter; a `failure` for good; `moved`, when the handler
 * has put it back by plan, which is neither success nor failure; or `abandoned`, when this process lost it, and the broker delivers it
 * again by itself.
 */
export type Settlement = "success" | "retry" | "dead" | "failure" | "moved" | "abandoned";

/** What an adapter tells about its client. No method throws, but {@link BrokerHub.run} and {@link Sending.run} what they call. */
export interface BrokerHub {
  /** `count` messages are being sent by one call, in the caller's async context. */
  send(destination: string | Destination, count?: number): Sending;
  /** A message has reached this process. */
  deliver(read: ReadHeader, facts: DeliveryFacts): BrokerDelivery;
  /**
   * Calls the handler, once, in the context of the delivery, inside its `process` span. That ends when what the handler returned is over, if the
   * engine awaits it; else when the delivery is settled, too. Gives and throws what it does. Where the engine `ignores` what handlers return, a rejection stays
   * unhandled. Default: it `awaits` that.
   */
  run<R>(delivery: BrokerDelivery, handler: () => R, engine?: "awaits" | "ignores"): R;
  /** From the second time on nothing happens. Where a lock was lost, the error's code is `lock_lost`. */
  settle(delivery: BrokerDelivery, how: Settlement, error?: unknown): void;
  /** The client has acknowledged a delivery whose channel is gone, which may have hit another message; or whose lock is. Default: its channel. */
  stale(delivery: BrokerDelivery, gone?: "channel" | "lock"): void;
  /** The consumer of a queue was cancelled by the broker. */
  cancelled(queue: string): void;
  /** The broker takes no messages for now; undefined: it does again. */
  blocked(reason: string | undefined): void;
  /** Something of ours has failed. */
  fault(queue: string, error: unknown): void;
}

/** What the broker says of a queue. What is undefined is unknown. Instants are epoch milliseconds of the broker's clock. */
export interface BrokerFacts {
  /** Messages that could be taken now. */
  readonly depth?: number | undefined;
  /** Since when the oldest of them could be taken; `null` if there is none. */
  readonly oldestAt?: number | null | undefined;
  /** Messages that some process has taken and not settled. */
  readonly inFlight?: number | undefined;
  /** Messages that wait for a planned delay to pass. */
  readonly delayed?: number | undefined;
  /** Consumers that the broker knows of. */
  readonly consumers?: number | undefined;
  /** How many messages may be in flight at a time, over all consumers. */
  readonly maxInFlight?: number | undefined;
  readonly isPaused?: boolean | undefined;
  /** How long nothing is given out for, because so many were lately, in milliseconds. */
  readonly rateLimitedMs?: number | undefined;
  /** Why the broker takes no messages, such as a memory alarm. */
  readonly blockedReason?: string | undefined;
  /** Messages whose planned delay has passed, and which can't be taken yet. */
  readonly overdue?: number | undefined;
  /** Since when a scheduler's next message is overdue. */
  readonly schedulerOverdueSince?: number | undefined;
  /** The broker's clock when it answered. */
  readonly brokerNow?: number | undefined;
}

/**
 * Knows one kind of broker. It only says what happens: context, spans, metrics, carriers, limits and faults are the hub's.
 */
export interface BrokerAdapter<C extends object = object> {
  /** What spans say in `messaging.system.name`. */
  readonly system: string;
  /** Whether messages have priorities, each of which is a tier. Default: no. */
  readonly priorities?: boolean | undefined;
  /** The one queue that the client is for; undefined where it serves many. Default: many. */
  queueOf?(client: C): string | undefined;
  /** From now on the hub is told what happens. Returns what restores the client. Throws `NotInstrumentableError` if that can't be. */
  attach(client: C, hub: BrokerHub): () => void;
  /**
   * Asks the broker about a queue, on a connection of its own, which never publishes and fails fast. Absent: it is not asked. One call at a
   * time; what takes too long is aborted.
   */
  poll?(queue: string, signal: AbortSignal): Promise<BrokerFacts>;
  /**
   * Opens a queue with clients of its own, for `brokerQueue`; makes the queue, if there is none. What it sends and takes it tells the hub;
   * settling is told by the caller. `came` is called for each message, and must not throw. Absent: queues can't be opened.
   */
  open?(queue: string, hub: BrokerHub, came: (message: TakenMessage) => void): Promise<OpenedQueue>;
}

/** A queue of a broker, opened to put items in and to take them out. */
export interface OpenedQueue {
  /** The largest priority that a message can have, from 1; undefined: it can have none. */
  readonly maxPriority: number | undefined;
  /** Resolves when the broker has all of them. Called in the producer's async context. */
  send(messages: readonly OutgoingMessage[]): Promise<void>;
  /**
   * From now on messages are taken as long as fewer than that many are neither settled nor being settled; 0: none. Those that come too many
   * are given back by the caller.
   */
  take(most: number): void;
  /** Takes no more, and closes the clients. What was taken and isn't settled comes back to others, sooner or later. */
  close(): Promise<void>;
}

/** A message on its way into an {@link OpenedQueue}. */
export interface OutgoingMessage {
  /** What JSON can carry. */
  readonly item: unknown;
  /** The same, as JSON. */
  readonly json: string;
  readonly priority: number | undefined;
  /** In milliseconds, from 0. */
  readonly delayMs: number;
}

/**
 * A message that was taken from an {@link OpenedQueue}. Of the methods but `read`, one is called, once. Each resolves when the broker has written
 * it down, and rejects if it has not; where another process may have the message by now, the error's code is `lock_lost` or `channel_gone`.
 */
export interface TakenMessage {
  readonly delivery: BrokerDelivery;
  /** The item. Throws if it can't be read. */
  read(): unknown;
  done(): Promise<void>;
  /** It failed for good. */
  failed(error: unknown): Promise<void>;
  /** It comes again after so many milliseconds, as the next attempt. */
  retry(delayMs: number, error: unknown): Promise<void>;
  /** It goes back, as if it had not been taken. */
  giveBack(): Promise<void>;
}
