import { signals } from "../base/abort-signals.js";
import type { Clock } from "../base/clock.js";
import { Alarm, type Due } from "./alarm.js";
import type { WaitOptions } from "./options.js";
import { type AnyWaiter, promiseOf, TimeLimit } from "./waiters.js";

/** Where callers wait: with one timer for all time limits and planned delays, and one listener for each signal. */
export class WaitingRoom {
  private readonly alarm: Alarm;

  constructor(private readonly clock: Clock) {
    this.alarm = new Alarm(clock);
  }

  /** The promise that the waiter settles. It must be in its line already. */
  wait<V, T>(waiter: AnyWaiter<T>, options: WaitOptions | undefined): Promise<V> {
    const promise = promiseOf<V>(waiter);
    if (options === undefined) return promise;
    try {
      this.limit(waiter, options);
    } catch (error) {
      // The options are other ones than those that were checked, or the signal is no good after all.
      waiter.aborted(error);
    }
    return promise;
  }

  /** The waiter needs neither its time limit nor its signal any more. */
  release<T>(waiter: AnyWaiter<T>): void {
    if (waiter.timeLimit !== undefined) this.alarm.unset(waiter.timeLimit);
    if (waiter.signals !== undefined) signals.leave(waiter);
  }

  wakeAt(due: Due): void {
    this.alarm.set(due);
  }

  forget(due: Due): void {
    this.alarm.unset(due);
  }

  private limit<T>(waiter: AnyWaiter<T>, { signal, timeoutMs }: WaitOptions): void {
    if (signal?.aborted) {
      // Since it was checked, by a callback of the user's.
      waiter.aborted(signal.reason);
      return;
    }
    if (signal !== undefined) signals.join(signal, waiter);
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      const now = this.clock.now();
      waiter.timeLimit = new TimeLimit(waiter, timeoutMs, now + timeoutMs);
      this.alarm.set(waiter.timeLimit, now);
    }
  }
}
