import type { Adapter, Attachment, Probe, QueueTelemetry } from "../contracts.js";
import { InvalidOptionTypeError, NotInstrumentableError } from "../errors.js";
import { type Entry, Ledger } from "./ledger.js";
import { methodOf, patch } from "./patch.js";

/** The names under which an object has what a queue has. */
export interface GenericNames {
  /** A method whose first argument is the item. It may return a promise: the item is in when that resolves. */
  put: string;
  /** A method that returns the next item, or a promise of it; undefined or null when there is none. */
  get: string;
  /** A property, or a method without arguments: how many items wait. Default: puts less gets. */
  size?: string | undefined;
  /** A method without arguments that shows the next item without taking it. Default: nobody knows which one it is. */
  peek?: string | undefined;
}

/** Entries that may be left over before those are forgotten that must have gone by ways we don't see. */
const SLACK = 1_000;

/**
 * An adapter for any object with methods that add and take. Items are recognised by identity, so they must come out as they went
 * in. Throws `InvalidOptionTypeError` unless `put` and `get` are names; `instrument` throws `NotInstrumentableError` if the object
 * lacks one of them.
 */
export function generic(names: GenericNames): Adapter {
  if (typeof names !== "object" || names === null) {
    throw new InvalidOptionTypeError("generic", names, "an object of method names");
  }
  for (const [option, name] of Object.entries({ put: names.put, get: names.get })) checkName(option, name);
  for (const [option, name] of Object.entries({ size: names.size, peek: names.peek })) {
    if (name !== undefined) checkName(option, name);
  }
  return {
    system: "in_process",
    tiersOf: () => ["default"],
    attach: (queue, telemetry) => new GenericAttachment(queue, names, telemetry),
  };
}

function checkName(option: string, name: unknown): void {
  if (typeof name !== "string" || name === "") {
    throw new InvalidOptionTypeError(option, name, "the name of a method");
  }
}

class GenericAttachment implements Attachment {
  private readonly ledger = new Ledger();
  /** Items that were there before us; they come out without an entry, and that is no loss. */
  private strangers: number;
  private waitingPuts = 0;
  private waitingGets = 0;
  private readonly restore: (() => void)[] = [];
  private isAttached = true;

  constructor(
    private readonly queue: object,
    private readonly names: GenericNames,
    private readonly telemetry: QueueTelemetry,
  ) {
    const { put, get, size, peek } = names;
    if (size !== undefined && !(size in queue)) {
      throw new NotInstrumentableError(`the object has neither a property nor a method "${size}"`);
    }
    if (peek !== undefined) methodOf(queue, peek);
    methodOf(queue, get);
    this.strangers = this.readSize() ?? 0;
    try {
      this.restore.push(patch(queue, put, (original) => this.wrapPut(original)));
      this.restore.push(patch(queue, get, (original) => this.wrapGet(original)));
    } catch (error) {
      this.detach();
      throw error;
    }
  }

  detach(): void {
    // Somebody may still hold our methods: from now on they only pass on.
    this.isAttached = false;
    for (const restore of this.restore.reverse()) restore();
  }

  readonly probe: Probe = this.makeProbe();

  private makeProbe(): Probe {
    const attachment = this;
    return {
      tiers: ["default"],
      now: () => performance.now(),
      depth: () => attachment.readSize() ?? attachment.ledger.size,
      // What is left in the ledger of an empty queue has gone by ways that we don't see.
      oldestAt: () => (attachment.readSize() === 0 ? undefined : attachment.ledger.oldest?.at),
      headAt: () => attachment.headAt(),
      capacity: Number.POSITIVE_INFINITY,
      delayed: 0,
      inFlight: undefined,
      inFlightOldestAt: undefined,
      get waitingPuts() {
        return attachment.waitingPuts;
      },
      get waitingGets() {
        return attachment.waitingGets;
      },
    };
  }

  private wrapPut(original: (...args: unknown[]) => unknown) {
    const attachment = this;
    return function put(this: unknown, ...args: unknown[]): unknown {
      const call = () => original.apply(this, args);
      return attachment.isAttached ? attachment.put(args[0], call) : call();
    };
  }

  private put(item: unknown, original: () => unknown): unknown {
    const { telemetry, ledger } = this;
    const startedAt = performance.now();
    const carrier = telemetry.putStarted(0, undefined, 1);
    // Before the call, because a consumer that waits may get the item within it.
    const entry = ledger.add(item, carrier, startedAt);
    const refuse = (error: unknown) => {
      ledger.remove(entry);
      telemetry.putFailed(carrier, 0, 0, performance.now() - startedAt, error);
    };
    let result: unknown;
    try {
      result = original();
    } catch (error) {
      refuse(error);
      throw error;
    }
    const accept = () => {
      telemetry.putDone(carrier, 0, 1, performance.now() - startedAt);
      this.forgetLeftovers();
    };
    if (result instanceof Promise) this.follow(result, "waitingPuts", accept, refuse);
    else accept();
    return result;
  }

  private wrapGet(original: (...args: unknown[]) => unknown) {
    const attachment = this;
    return function get(this: unknown, ...args: unknown[]): unknown {
      const call = () => original.apply(this, args);
      return attachment.isAttached ? attachment.get(call) : call();
    };
  }

  private get(original: () => unknown): unknown {
    const { telemetry } = this;
    const startedAt = performance.now();
    const pull = telemetry.pullStarted();
    const failed = (error: unknown) =>
      telemetry.pullDone(pull, undefined, performance.now() - startedAt, error);
    let result: unknown;
    try {
      result = original();
    } catch (error) {
      failed(error);
      throw error;
    }
    const got = (item: unknown) => this.took(item, pull, startedAt);
    if (result instanceof Promise) this.follow(result, "waitingGets", got, failed);
    else got(result);
    return result;
  }

  private took(item: unknown, pull: object | undefined, startedAt: number): void {
    const { telemetry, ledger } = this;
    const now = performance.now();
    const entry = ledger.find(item);
    // Both mean that there is no item, unless that very thing was put in.
    if (entry === undefined && (item === undefined || item === null)) return;
    if (entry !== undefined) {
      ledger.remove(entry);
      telemetry.taken(entry.carrier, 0, entry.at, now, 1);
    } else if (this.strangers > 0) {
      this.strangers--;
      telemetry.taken(undefined, 0, Number.NaN, now, 1);
    } else {
      telemetry.contextLost();
      telemetry.taken(undefined, 0, Number.NaN, now, 1);
    }
    telemetry.pullDone(pull, entry?.carrier, now - startedAt);
  }

  /** Watches a promise of the user's, who gets the very same one; a rejection stays theirs to handle. */
  private follow(
    promise: Promise<unknown>,
    waiting: "waitingPuts" | "waitingGets",
    resolved: (value: unknown) => void,
    rejected: (error: unknown) => void,
  ): void {
    this[waiting]++;
    promise.then(
      (value) => {
        this[waiting]--;
        resolved(value);
      },
      (error: unknown) => {
        this[waiting]--;
        rejected(error);
      },
    );
  }

  /** What left by ways that we don't see (a `clear`, say) must not pile up here. */
  private forgetLeftovers(): void {
    const { ledger } = this;
    if (ledger.size <= SLACK) return;
    const size = this.readSize();
    if (size === undefined) return;
    for (let most = 2 * size + this.waitingPuts + SLACK; ledger.size > most; )
      ledger.remove(ledger.oldest as Entry);
  }

  private headAt(): number | undefined {
    const { peek } = this.names;
    if (peek === undefined) return undefined;
    try {
      return this.ledger.find(methodOf(this.queue, peek).call(this.queue))?.at;
    } catch (error) {
      this.telemetry.fault(error);
      return undefined;
    }
  }

  private readSize(): number | undefined {
    const { size } = this.names;
    if (size === undefined) return undefined;
    try {
      const value: unknown = (this.queue as Record<string, unknown>)[size];
      const number = typeof value === "function" ? value.call(this.queue) : value;
      return typeof number === "number" && Number.isFinite(number) ? number : undefined;
    } catch (error) {
      this.telemetry.fault(error);
      return undefined;
    }
  }
}
