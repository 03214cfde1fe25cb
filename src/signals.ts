/** Somebody who gives up when a signal is aborted. */
export interface Abortable {
  signals: SignalGroup | undefined;
  aborted(reason: unknown): void;
}

/** All who wait on one signal, behind one listener. */
export class SignalGroup {
  readonly members = new Set<Abortable>();

  constructor(readonly signal: AbortSignal) {
    signal.addEventListener("abort", this.abort);
  }

  close(): void {
    this.signal.removeEventListener("abort", this.abort);
  }

  private readonly abort = (): void => {
    for (const member of [...this.members]) member.aborted(this.signal.reason);
  };
}

/**
 * One listener per signal, however many wait on it. A listener goes a microtask after its last waiter: who waits again at
 * once, as a consumer in its loop does, finds it still there.
 */
export class Signals {
  private readonly groups = new Map<AbortSignal, SignalGroup>();
  private emptied: SignalGroup[] = [];

  join(signal: AbortSignal, member: Abortable): void {
    let group = this.groups.get(signal);
    if (group === undefined) {
      group = new SignalGroup(signal);
      this.groups.set(signal, group);
    }
    group.members.add(member);
    member.signals = group;
  }

  leave(member: Abortable): void {
    const group = member.signals;
    if (group === undefined) return;
    member.signals = undefined;
    group.members.delete(member);
    if (group.members.size > 0) return;
    if (this.emptied.length === 0) queueMicrotask(this.sweep);
    this.emptied.push(group);
  }

  private readonly sweep = (): void => {
    for (const group of this.emptied) {
      if (group.members.size > 0 || this.groups.get(group.signal) !== group) continue;
      this.groups.delete(group.signal);
      group.close();
    }
    this.emptied = [];
  };
}
