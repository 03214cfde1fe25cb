/** Gives up when a signal is aborted. */
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
    try {
      this.signal.removeEventListener("abort", this.abort);
    } catch {
      // It isn't one of Node's. The listener stays, and has no one to tell.
    }
  }

  private readonly abort = (): void => {
    const { reason } = this.signal;
    for (const member of [...this.members]) {
      // One that was told before may have ended this one's wait.
      if (this.members.has(member)) member.aborted(reason);
    }
  };
}
