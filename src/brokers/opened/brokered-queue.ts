import { type InspectOptions, inspect } from "node:util";
import { checkDuration, checkKnown, checkNumber, checkObject, type OptionNames } from "../../base/checks.js";
import {
  InvalidOptionRangeError,
  InvalidOptionTypeError,
  QueueShutDownError,
  QueueTimeoutError,
} from "../../base/errors.js";
import { inTime } from "../../base/in-time.js";
import { shown } from "../../base/shown.js";
import {
  type Health,
  type OpenedQueue,
  type OutgoingMessage,
  QUEUE_SOURCE,
  type QueueHealthOptions,
  type QueueSource,
} from "../../contracts/index.js";
import type { Delivery } from "../../queue/delivery.js";
import type { QueueIterator } from "../../queue/iteration.js";
import {
  checkCorrelationId,
  checkItem,
  checkIterable,
  checkIterate,
  checkWait,
  type IterateOptions,
  type WaitOptions,
} from "../../queue/options.js";
import { withCorrelationId } from "../../telemetry/context/correlation.js";
import { Deliveries, Getter } from "./getter.js";
import type { BrokerSource } from "./source.js";

/** What goes along with an item into a queue of a broker. */
export interface BrokerPutOptions<Tier extends string = string> extends WaitOptions {
  /** The ID that ties the item to its request. Default: the caller's, else the trace ID, else one is made when it is first read. */
  correlationId?: string | readonly string[] | undefined;
  /** How long it is to be held back, in milliseconds. Default: 0. */
  delayMs?: number | undefined;
  /** A whole number from 1; smaller is more urgent, and without one is most urgent. An error where the engine has no priorities. */
  priority?: number | undefined;
  /** The name of a tier that was declared. Give this or `priority`. */
  tier?: Tier | undefined;
}

const PUT_OPTIONS: OptionNames<BrokerPutOptions> = {
  correlationId: true,
  delayMs: true,
  priority: true,
  tier: true,
  signal: true,
  timeoutMs: true,
};

/** How long {@link BrokeredQueue.close} waits for outcomes to be written, in milliseconds. */
const CLOSE_LIMIT_MS = 10_000;

/**
 * A queue that lies in a broker, with the face of the queues in this process: `put`, `putMany`, `receive`, `deliveries`, and `WorkerPool`s take from
 * it. What it can't have it doesn't have: a broker tells neither at once whether there is room, nor what all processes have done.
 */
export class BrokeredQueue<T, Tier extends string = string> implements AsyncDisposable {
  private closing: Promise<void> | undefined = undefined;
  private readonly sending = new Set<Promise<void>>();

  /** @internal */
  constructor(
    /** What it is called in metrics and spans. */
    readonly name: string,
    private readonly opened: OpenedQueue,
    private readonly source: BrokerSource<T>,
    private readonly tiers: Readonly<Record<string, number>>,
    private readonly undo: () => void,
  ) {}

  /**
   * Puts the item, which has to be what JSON can carry; resolves when the broker has it. Rejects with the engine's error if it has refused it or
   * can't be reached, with {@link QueueTimeoutError} or the signal's reason, after which the broker may have it all the same, with
   * {@link QueueShutDownError} after {@link close}, or with an `InvalidOption…Error`. It waits where the engine's client waits for a lost connection.
   */
  put(item: T, options?: BrokerPutOptions<Tier>): Promise<void> {
    return this.send([item], options, { item });
  }

  /** Puts the items, in order, in as few steps as the engine knows. Rejects like {@link put}; then some of them may be in the queue. */
  async putMany(items: Iterable<T>, options?: BrokerPutOptions<Tier>): Promise<void> {
    checkIterable("items", items);
    const all = [...items];
    if (all.length > 0) await this.send(all, options, { item: all[0], items: all });
  }

  /**
   * Takes the next item, as a delivery: with its facts, its context, and to be settled. Rejects with {@link QueueShutDownError},
   * {@link QueueTimeoutError} or the signal's reason.
   */
  async receive(options?: WaitOptions): Promise<Delivery<T>> {
    return await this.wait(options).promise;
  }

  /**
   * Deliveries, until the queue is closed. What an iteration has taken no other consumer gets until it is settled, or its process ends.
   *
   * @example
   * ```ts
   * for await (const delivery of orders.deliveries({ signal })) {
   *   await delivery.run(() => ship(delivery.item));
   *   delivery.done();
   * }
   * ```
   */
  deliveries(options?: IterateOptions): QueueIterator<Delivery<T>> {
    return new Deliveries<T>(checkIterate(options), (waiting) => this.wait(waiting));
  }

  /**
   * Whether this process works on the queue and the broker answers, and if not, why; by the last poll. Throws an `InvalidOption…Error` for options
   * that are none.
   */
  health(options?: QueueHealthOptions): Health {
    return this.source.health(options);
  }

  /**
   * Takes nothing more, waits for what is being put and for outcomes to be written, at most 10 s, and closes its connections. What was
   * taken and isn't settled comes back to another process. Drain pools first.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  toJSON(): object {
    return { name: this.name };
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `BrokeredQueue ${inspect(this.toJSON(), options)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What a `WorkerPool` needs of it. */
  get [QUEUE_SOURCE](): QueueSource<T> {
    return this.source;
  }

  private wait(options: WaitOptions | undefined): Getter<T> {
    const getter = new Getter<T>(options, (left) => this.source.leave(left));
    this.source.stand(getter);
    return getter;
  }

  private async send(
    items: readonly T[],
    options: BrokerPutOptions<Tier> | undefined,
    refused: { readonly item?: unknown; readonly items?: readonly unknown[] },
  ): Promise<void> {
    if (this.closing !== undefined) throw new QueueShutDownError("put", refused);
    checkObject("options", options);
    if (options !== undefined) checkKnown(options, PUT_OPTIONS);
    checkWait(options);
    const { delayMs = 0, priority, tier, timeoutMs, signal } = options ?? {};
    checkDuration("delayMs", delayMs);
    const rank = this.priorityOf(priority, tier);
    const id = checkCorrelationId(options?.correlationId);
    const messages = items.map((item) => ({ item, json: jsonOf(item), priority: rank, delayMs }));
    const sending =
      id === undefined ? this.begin(messages) : withCorrelationId(id, () => this.begin(messages));
    if (timeoutMs === undefined && signal === undefined) await sending;
    else await limited(sending, { timeoutMs, signal }, refused);
  }

  private begin(messages: readonly OutgoingMessage[]): Promise<void> {
    const sending = this.opened.send(messages);
    const over = () => void this.sending.delete(sending);
    this.sending.add(sending);
    sending.then(over, over);
    return sending;
  }

  private priorityOf(priority: number | undefined, tier: string | undefined): number | undefined {
    if (priority === undefined && tier === undefined) return undefined;
    const { maxPriority } = this.opened;
    if (maxPriority === undefined) {
      const [option, value] = priority === undefined ? ["tier", tier] : ["priority", priority];
      throw new InvalidOptionRangeError(option!, value, "left out: queues of this engine have no priorities");
    }
    if (tier === undefined) {
      return checkNumber(
        "priority",
        priority,
        `a whole number from 1 to ${maxPriority}`,
        (n) => Number.isInteger(n) && n >= 1 && n <= maxPriority,
      );
    }
    if (priority !== undefined)
      throw new InvalidOptionTypeError("tier", tier, "left out, where priority is given");
    if (!Object.hasOwn(this.tiers, tier)) {
      const known = Object.keys(this.tiers).map((name) => `"${shown(name)}"`);
      throw new InvalidOptionRangeError(
        "tier",
        tier,
        known.length > 0 ? `one of ${known.join(", ")}` : "left out: none is declared",
      );
    }
    return this.tiers[tier];
  }

  private async end(): Promise<void> {
    this.source.shutdown();
    const written = Promise.all([this.source.written(), Promise.allSettled(this.sending)]);
    await inTime(CLOSE_LIMIT_MS, written).catch(() => {});
    this.undo();
    await this.opened.close();
  }
}

/** Throws `InvalidOptionTypeError` for what JSON can't carry. */
function jsonOf(item: unknown): string {
  checkItem(item);
  let json: string | undefined;
  let reason = "";
  try {
    json = JSON.stringify(item);
  } catch (error) {
    reason = `: ${(error as Error).message}`;
  }
  if (json !== undefined) return json;
  throw new InvalidOptionTypeError("item", item, `what JSON can carry${reason}`);
}

/** Waits no longer than that; what comes of it later is no failure of the process. */
async function limited(
  sending: Promise<void>,
  { timeoutMs, signal }: WaitOptions,
  refused: { readonly item?: unknown; readonly items?: readonly unknown[] },
): Promise<void> {
  let timeout: NodeJS.Timeout | undefined;
  let aborted: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      sending.then(resolve, reject);
      aborted = () => reject(signal!.reason);
      signal?.addEventListener("abort", aborted, { once: true });
      if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return;
      timeout = setTimeout(() => reject(new QueueTimeoutError("put", timeoutMs, refused)), timeoutMs);
    });
  } finally {
    clearTimeout(timeout);
    if (aborted !== undefined) signal?.removeEventListener("abort", aborted);
  }
}
