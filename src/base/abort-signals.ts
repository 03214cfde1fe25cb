import { isAbortSignal } from "./checks.js";
import { errorLine } from "./error-text.js";
import { InvalidOptionTypeError } from "./errors.js";
import { processWide } from "./process-wide.js";
import { type Abortable, SignalGroup } from "./signal-group.js";

export type { Abortable, SignalGroup } from "./signal-group.js";

/**
 * One listener per signal in the whole process, however many wait on it, in however many copies of this library, so that no signal has
 * more listeners than it warns of. A listener goes a microtask after its last waiter: what waits again at once, as a consumer in its loop does, finds it still there.
 */
class Signals {
  private readonly groups = processWide.signalGroups;
  private emptied: SignalGroup[] = [];

  join(signal: AbortSignal, member: Abortable): void {
    const group = this.groupOf(signal);
    group.members.add(member);
    member.signals = group;
  }

  leave(member: Abortable): void {
    const group = member.signals;
    if (group === undefined) return;
    member.signals = undefined;
    group.members.delete(member);
    if (group.members.size === 0) this.sweepLater(group);
  }

  /**
   * Throws an `InvalidOption…Error` unless the value is a signal that can be listened to: it is tried with all but Node's own, so that
   * none fails when something is booked already.
   */
  check(name: string, value: unknown): asserts value is AbortSignal {
    if (!isAbortSignal(value)) throw new InvalidOptionTypeError(name, value, "an AbortSignal");
    if (isNodes(value) || value.aborted) return;
    try {
      const group = this.groupOf(value);
      if (group.members.size === 0) this.sweepLater(group);
    } catch (error) {
      const allowed = "an AbortSignal that can be listened to";
      throw new InvalidOptionTypeError(
        name,
        value,
        allowed,
        `${name} must be ${allowed}: ${errorLine(error)}`,
      );
    }
  }

  private groupOf(signal: AbortSignal): SignalGroup {
    let group = this.groups.get(signal);
    if (group === undefined) {
      group = new SignalGroup(signal);
      this.groups.set(signal, group);
    }
    return group;
  }

  private sweepLater(group: SignalGroup): void {
    // Not `queueMicrotask`, which fake timers may replace.
    if (this.emptied.length === 0) void DONE.then(this.sweep);
    this.emptied.push(group);
  }

  private readonly sweep = (): void => {
    const { emptied } = this;
    this.emptied = [];
    for (const group of emptied) {
      if (group.members.size > 0 || this.groups.get(group.signal) !== group) continue;
      this.groups.delete(group.signal);
      group.close();
    }
  };
}

const DONE = Promise.resolve();

export const signals: Signals = new Signals();

/** Whether it has Node's own way to listen. */
function isNodes(signal: AbortSignal): boolean {
  return signal instanceof AbortSignal && signal.addEventListener === EventTarget.prototype.addEventListener;
}
