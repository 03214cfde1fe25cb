/** Watches main's heartbeat. */
export interface Pulse {
  /** Looks, at an instant; `due` is when it was meant to. */
  tick(now: number, due: number): "quiet" | "began" | "goes-on" | "ended";
  /** Nothing that was before this instant counts. */
  forget(now: number): void;
  /** Of the stall that goes on or has just ended: when it began. */
  readonly since: number;
  /** How long it has lasted, or lasted in all. */
  readonly forMs: number;
}

/**
 * Who waits for a processor is not blocked. And who comes late cannot tell what others did meanwhile: the machine slept, the
 * process was stopped, or there was no processor for either. Such time is nobody's stall.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function makePulse(
  beatAt: () => number,
  waited: () => number,
  thresholdMs: number,
  lateMs: number,
): Pulse {
  let waitedBefore: number | undefined;
  let floor = Number.NEGATIVE_INFINITY;
  let isStalled = false;
  let since = 0;
  let forMs = 0;
  let lostMs = 0;
  return {
    get since() {
      return since;
    },
    get forMs() {
      return forMs;
    },
    forget(now) {
      floor = now;
      isStalled = false;
    },
    tick(now, due) {
      const beat = beatAt();
      const late = now - due;
      if (isStalled) {
        // So late is nobody who only lacks a processor: the process was stopped meanwhile.
        if (late > thresholdMs) lostMs += late;
        isStalled = beat <= since;
        forMs = (isStalled ? now : beat) - since - lostMs;
        return isStalled ? "goes-on" : "ended";
      }
      if (late > lateMs) floor = now;
      const from = Math.max(beat, floor);
      if (from !== since) waitedBefore = undefined;
      since = from;
      forMs = now - since;
      lostMs = 0;
      // Asked at the first sign only: it costs more than all the rest.
      if (forMs > thresholdMs / 4) waitedBefore ??= waited();
      isStalled = forMs > thresholdMs && forMs - (waited() - waitedBefore!) > thresholdMs;
      return isStalled ? "began" : "quiet";
    },
  };
}
