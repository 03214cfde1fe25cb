import {
  checkClock,
  checkKnown,
  checkNumber,
  checkObject,
  isAbortSignal,
  type OptionNames,
  requireFunction,
} from "../checks.js";
import { type Clock, systemClock, type Timer } from "../clock.js";
import type { GateView } from "../contracts.js";
import { InvalidOptionTypeError } from "../errors.js";
import { checkName } from "../limits.js";
import { LinkedList } from "../linked-list.js";
import { recorder } from "../recorder.js";

/** A policy of cockatiel's, such as a circuit breaker, or anything else that calls a function or refuses to. */
export interface Policy {
  execute<R>(fn: (context: { readonly signal?: AbortSignal }) => R | Promise<R>): Promise<R>;
}

/** Options of a gate: `concurrency`, `policy`, or both. Only `undefined` stands for the default. */
export interface GateOptions {
  /** What the gate is called in metrics: the downstream's name. */
  name: string;
  /** Calls that may be through at a time, a whole number from 1. Default: `Infinity`. */
  concurrency?: number | undefined;
  /** Makes each call, or rejects without having made it, as an open circuit breaker does: then it is asked again after a while. */
  policy?: Policy | undefined;
  /** Where time comes from. Default: the system clock. */
  clock?: Clock | undefined;
}

const OPTIONS: OptionNames<GateOptions> = { name: true, concurrency: true, policy: true, clock: true };

/** Who is told how long a call waited, and whose end is the end of the wait. */
export interface Passer {
  /** Asked for only when there is something to wait for. */
  readonly signal: AbortSignal;
  /** @internal */
  throwIfAborted(): void;
  /** It is at the gate, and may have to wait. @internal */
  reached(gate: Gate): void;
  /** @internal */
  passed(gate: Gate, waitedMs: number): void;
}

/** How a call goes through a gate. */
export interface PassOptions {
  /**
   * The task that the call belongs to: its queue records the wait, and doesn't count it as time of processing. When the task is
   * aborted, the wait ends.
   */
  task?: Passer | undefined;
  /** Ends the wait: the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Is told when the wait for an open circuit breaker begins and ends. @internal */
  onBackoff?: ((isWaiting: boolean) => void) | undefined;
}

/** Pauses between two questions to a policy that refused, in milliseconds: it doubles from the first to the last. */
const FIRST_PAUSE_MS = 25;
const LAST_PAUSE_MS = 1_000;

/**
 * For how long a refusal says something about the downstream, in milliseconds. Whoever waits asks again every second; when the last
 * one gives up nobody does, and the next attempt comes after a retry's pause, of 30 s at most unless told otherwise.
 */
const REFUSAL_LASTS_MS = 30_000;

class Waiter {
  previous: Waiter | undefined = undefined;
  next: Waiter | undefined = undefined;
  constructor(readonly resolve: () => void) {}
}

/**
 * Caps the calls to a downstream, for all that share it: pools take it as an option, handlers call {@link run}. Permits are handed on
 * in order of arrival.
 */
export class Gate implements GateView {
  readonly name: string;
  readonly limit: number;
  private readonly policy: Policy | undefined;
  private readonly clock: Clock;
  private through = 0;
  private readonly line = new LinkedList<Waiter>();
  /** Who waits for a policy that refused. */
  private readonly refused = new LinkedList<Waiter>();
  /** When the policy refused a call, if it has made none since. */
  private refusedAt: number | undefined = undefined;
  private pauseMs = FIRST_PAUSE_MS;
  private timer: Timer | undefined = undefined;

  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(options: GateOptions) {
    checkObject("options", options);
    checkKnown(options, OPTIONS);
    const { name, concurrency = Number.POSITIVE_INFINITY, policy, clock } = options;
    checkName("name", name);
    const isLimit = (n: number) => n >= 1 && (Number.isInteger(n) || n === Number.POSITIVE_INFINITY);
    checkNumber("concurrency", concurrency, "a whole number from 1, or Infinity", isLimit);
    checkObject("policy", policy);
    if (policy !== undefined) requireFunction("policy.execute", policy.execute);
    if (policy === undefined && options.concurrency === undefined) {
      const message = `concurrency or policy must be given: without them, gate "${name}" would let everybody through`;
      throw new InvalidOptionTypeError("concurrency", undefined, "given where there is no policy", message);
    }
    checkClock(clock);
    this.name = name;
    this.limit = concurrency;
    this.policy = policy;
    this.clock = clock ?? systemClock;
  }

  /** Calls that are through and not back. */
  get inFlight(): number {
    return this.through - this.refused.size;
  }

  /** Calls that wait for a permit, or for the policy. */
  get waiting(): number {
    return this.line.size + this.refused.size;
  }

  /**
   * Did the policy refuse the last call, in the last 30 s, for another reason than that it has as many as it takes? Undefined
   * without a policy.
   */
  get isOpen(): boolean | undefined {
    if (this.policy === undefined) return undefined;
    return this.refusedAt !== undefined && this.clock.now() - this.refusedAt < REFUSAL_LASTS_MS;
  }

  /**
   * Calls `fn` when there is a permit and the policy agrees; resolves or rejects as it does. Rejects with the signal's reason, or that
   * of the task's, if it is aborted before.
   */
  async run<R>(
    fn: (context: { readonly signal?: AbortSignal }) => R | Promise<R>,
    options?: PassOptions,
  ): Promise<R> {
    requireFunction("fn", fn);
    checkObject("options", options);
    const { task, signal, onBackoff } = options ?? {};
    if (signal !== undefined && !isAbortSignal(signal))
      throw new InvalidOptionTypeError("signal", signal, "an AbortSignal");
    const throwIfAborted = () => {
      signal?.throwIfAborted();
      task?.throwIfAborted();
    };
    throwIfAborted();
    task?.reached(this);
    const startedAt = this.clock.now();
    if (this.through < this.limit) this.through++;
    else await this.wait(this.line, signal, task);
    try {
      for (;;) {
        let wasCalled = false;
        const call = (context: { readonly signal?: AbortSignal }) => {
          // It may have been aborted while the policy kept it waiting.
          if (!wasCalled) throwIfAborted();
          if (!wasCalled) task?.passed(this, this.clock.now() - startedAt);
          wasCalled = true;
          this.agreed();
          return fn(context);
        };
        try {
          return await (this.policy === undefined ? call({}) : this.policy.execute(call));
        } catch (error) {
          if (wasCalled) throw error;
          throwIfAborted();
          if (isFull(error)) await this.pause(signal, task);
          else {
            if (this.refusedAt === undefined) recorder.tell(this.name, "the policy refuses calls");
            this.refusedAt = this.clock.now();
            onBackoff?.(true);
            await this.pause(signal, task);
            onBackoff?.(false);
          }
        }
      }
    } finally {
      this.leave();
    }
  }

  /** A permit is free: it goes to whoever has waited longest. */
  private leave(): void {
    // Whoever was woken to ask the policy may be the one who leaves.
    if (this.refused.size > 0) this.askLater();
    const { first } = this.line;
    if (first === undefined) {
      this.through--;
      return;
    }
    this.line.remove(first);
    first.resolve();
  }

  /** The policy refused: waits until it is worth asking it again. */
  private async pause(signal: AbortSignal | undefined, task: Passer | undefined): Promise<void> {
    this.askLater();
    try {
      await this.wait(this.refused, signal, task);
    } finally {
      if (this.refused.size === 0) this.stopAsking();
    }
  }

  private askLater(): void {
    this.timer ??= this.clock.setTimeout(() => this.askAgain(), this.pauseMs);
  }

  private stopAsking(): void {
    if (this.timer !== undefined) this.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** One asks for all. */
  private askAgain(): void {
    this.timer = undefined;
    this.pauseMs = Math.min(2 * this.pauseMs, LAST_PAUSE_MS);
    const { first } = this.refused;
    if (first === undefined) return;
    this.refused.remove(first);
    first.resolve();
  }

  /** The policy made a call: all may ask. */
  private agreed(): void {
    if (this.refusedAt !== undefined) recorder.tell(this.name, "the policy lets calls through");
    this.refusedAt = undefined;
    this.pauseMs = FIRST_PAUSE_MS;
    this.stopAsking();
    for (let waiter = this.refused.first; waiter !== undefined; waiter = this.refused.first) {
      this.refused.remove(waiter);
      waiter.resolve();
    }
  }

  private wait(
    line: LinkedList<Waiter>,
    signal: AbortSignal | undefined,
    task: Passer | undefined,
  ): Promise<void> {
    const signals = new Set([signal, task?.signal].filter((each) => each !== undefined));
    return new Promise((resolve, reject) => {
      const end = () => {
        for (const each of signals) each.removeEventListener("abort", abort);
      };
      const waiter = new Waiter(() => {
        end();
        resolve();
      });
      const abort = ({ target }: Event) => {
        end();
        line.remove(waiter);
        reject((target as AbortSignal).reason);
      };
      line.append(waiter);
      for (const each of signals) each.addEventListener("abort", abort);
    });
  }
}

/** Did a bulkhead of cockatiel's refuse? It says so on its errors, whichever copy they are of. */
function isFull(error: unknown): boolean {
  return (
    (error as { isBulkheadRejectedError?: unknown } | null | undefined)?.isBulkheadRejectedError === true
  );
}
