import { type Abortable, signals } from "../base/abort-signals.js";
import { tell } from "../base/callback.js";
import {
  checkClock,
  checkKnown,
  checkNumber,
  checkObject,
  type OptionNames,
  requireFunction,
} from "../base/checks.js";
import { type Clock, systemClock } from "../base/clock.js";
import { InvalidOptionTypeError, LateCallError, TaskAbandonedError } from "../base/errors.js";
import { checkName } from "../base/limits.js";
import { LinkedList } from "../base/linked-list.js";
import { processWide } from "../base/process-wide.js";
import { recorder } from "../base/recorder.js";
import { isThenable } from "../base/thenable.js";
import { Wakeup } from "../base/wakeup.js";
import { warn } from "../base/warning.js";
import type { GateView, LimitedResource } from "../contracts/index.js";
import { type Call, CallResult, isFull, type Policy, refused } from "./policy.js";

const { activeTaskMonitor } = processWide;

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

/** Is told how long a call waited; its end is the end of the wait. */
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
 * For how long a refusal says something about the downstream, in milliseconds. A call that waits asks again every second; when the last
 * one gives up none does, and the next attempt comes after a retry's pause, of 30 s at most unless told otherwise.
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
 *
 * @example
 * const database = new Gate({ name: "database", concurrency: 4 });
 * const rows = await database.run(async () => ["row 1", "row 2"]);
 * const pool = new WorkerPool(new FifoQueue<string>(), async (sql) => console.log(sql), { concurrency: 16, gate: database });
 * await pool.drain();
 */
export class Gate implements GateView {
  readonly name: string;
  readonly limit: number;
  private readonly policy: Policy | undefined;
  private readonly clock: Clock;
  private through = 0;
  private readonly line = new LinkedList<Waiter>();
  /** Calls that wait for a policy that refused. */
  private readonly refused = new LinkedList<Waiter>();
  /** When the policy refused a call, if it has made none since. */
  private refusedAt: number | undefined = undefined;
  private pauseMs = FIRST_PAUSE_MS;
  private readonly wakeup: Wakeup;
  private warned = false;

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
      const message = `concurrency or policy must be given: without them, gate "${name}" would let every call through`;
      throw new InvalidOptionTypeError("concurrency", undefined, "given where there is no policy", message);
    }
    checkClock(clock);
    this.name = name;
    this.limit = concurrency;
    this.policy = policy;
    this.clock = clock ?? systemClock;
    this.wakeup = new Wakeup(this.clock, () => this.askAgain());
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
   * Whether the policy refused the last call, in the last 30 s, for another reason than that it has as many as it takes. Undefined
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
  run<R>(fn: Call<R>, options?: PassOptions): Promise<R> {
    const result: Promise<R> = this.pass(fn, options ?? {}, () => result.catch(ignore));
    return result;
  }

  private async pass<R>(fn: Call<R>, options: PassOptions, hush: () => void): Promise<R> {
    requireFunction("fn", fn);
    checkObject("options", options);
    const { task, signal, onBackoff } = options;
    if (signal !== undefined) signals.check("signal", signal);
    const wait: Wait = { task, signal, hush };
    throwIfAborted(wait);
    task?.reached(this);
    const startedAt = this.clock.now();
    if (this.through < this.limit) this.through++;
    else await this.wait(this.line, wait);
    const held = activeTaskMonitor.current?.has?.(this, task);
    try {
      for (;;) {
        let wasCalled = false;
        let isOver = false;
        let stop = ignore;
        const last: { result?: CallResult<R> } = {};
        const call = (context?: unknown): R | Promise<R> => {
          try {
            if (isOver) throw new LateCallError(this.name);
            // It may have been aborted while the policy kept it waiting.
            if (!wasCalled) throwIfAborted(wait);
          } catch (error) {
            return refused(error);
          }
          if (!wasCalled) task?.passed(this, this.clock.now() - startedAt);
          wasCalled = true;
          stop();
          this.agreed();
          const result = fn(typeof context === "object" && context !== null ? context : {});
          if (this.policy === undefined || !isThenable(result)) return result;
          last.result = CallResult.of(result);
          return last.result;
        };
        try {
          if (this.policy === undefined) return await call();
          const promise = this.policy.execute(call);
          // It may never settle.
          const answer = wasCalled
            ? await promise
            : await new Promise<R>((resolve, reject) => {
                stop = onAbort(wait, reject);
                Promise.resolve(promise).then(resolve, reject);
              });
          isOver = true;
          if (last.result?.isHeard === false) await last.result;
          return answer;
        } catch (error) {
          if (wasCalled) throw error;
          isOver = true;
          throwIfAborted(wait);
          if (isFull(error)) await this.pause(wait);
          else {
            if (this.refusedAt === undefined) recorder.tell(this.name, "the policy refuses calls");
            this.refusedAt = this.clock.now();
            if (onBackoff !== undefined) tell(this.fault, onBackoff, true);
            await this.pause(wait);
            if (onBackoff !== undefined) tell(this.fault, onBackoff, false);
          }
        } finally {
          isOver = true;
          stop();
        }
      }
    } finally {
      held?.end();
      this.leave();
    }
  }

  /** A permit is free: it goes to the call that has waited longest. */
  private leave(): void {
    // The call that was woken to ask the policy may be the one that leaves.
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
  private async pause(wait: Wait): Promise<void> {
    this.askLater();
    try {
      await this.wait(this.refused, wait);
    } finally {
      if (this.refused.size === 0) this.wakeup.clear();
    }
  }

  private askLater(): void {
    const now = this.clock.now();
    if (this.wakeup.dueAt === Number.POSITIVE_INFINITY) this.wakeup.set(now + this.pauseMs, now);
    else this.wakeup.check(now);
  }

  /** One asks for all. */
  private askAgain(): void {
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
    this.wakeup.clear();
    for (let waiter = this.refused.first; waiter !== undefined; waiter = this.refused.first) {
      this.refused.remove(waiter);
      waiter.resolve();
    }
  }

  private wait(line: LinkedList<Waiter>, wait: Wait): Promise<void> {
    return new Promise((resolve, reject) => {
      const seen = activeTaskMonitor.current?.waits?.(asResource(this));
      const waiter = new Waiter(() => {
        seen?.end();
        stop();
        resolve();
      });
      line.append(waiter);
      const stop = onAbort(wait, (reason) => {
        seen?.end();
        line.remove(waiter);
        reject(reason);
      });
    });
  }

  /** Of a callback: told once. */
  private readonly fault = (error: unknown): void => {
    if (!this.warned) warn(`gate "${this.name}": onBackoff has thrown`, error);
    this.warned = true;
  };
}

/** As what tasks wait for. */
function asResource(gate: Gate): LimitedResource {
  return {
    kind: "gate",
    of: gate,
    label: gate.name,
    state: () => (gate.isOpen === true ? "breaker open" : undefined),
    use: () => ({ inUse: gate.inFlight, idle: undefined, waiting: gate.waiting, limit: gate.limit }),
  };
}

/** What ends a wait. */
interface Wait {
  readonly task: Passer | undefined;
  readonly signal: AbortSignal | undefined;
  /** What comes of it needn't be awaited: the pool has given up the task. */
  readonly hush: () => void;
}

function throwIfAborted({ signal, task }: Wait): void {
  if (signal?.aborted) throw signal.reason;
  task?.throwIfAborted();
}

/** Calls back once, when one of the signals is aborted, unless it is stopped before. */
function onAbort({ signal, task, hush }: Wait, aborted: (reason: unknown) => void): () => void {
  const listeners: Abortable[] = [];
  const stop = () => {
    for (const listener of listeners.splice(0)) signals.leave(listener);
  };
  const abort = (reason: unknown) => {
    stop();
    if (reason instanceof TaskAbandonedError) hush();
    aborted(reason);
  };
  for (const each of new Set([signal, task?.signal])) {
    if (each === undefined) continue;
    const listener: Abortable = { signals: undefined, aborted: abort };
    signals.join(each, listener);
    listeners.push(listener);
    if (each.aborted) {
      abort(each.reason);
      break;
    }
  }
  return stop;
}

function ignore(): void {}
