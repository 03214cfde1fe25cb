import type * as Fs from "node:fs";

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
 * A thread that waits for a CPU is not blocked. And a tick that is late can't tell what main did meanwhile: the machine slept, the process
 * was stopped, or there was no CPU for either. Such time is no stall.
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
        // A lack of CPU does not delay a tick that much: the process was stopped meanwhile.
        if (late > thresholdMs) lostMs += late;
        isStalled = beat <= since;
        forMs = (isStalled ? now : beat) - since - lostMs;
        return isStalled ? "goes-on" : "ended";
      }
      const from = Math.max(beat, floor);
      if (from !== since) {
        waitedBefore = undefined;
        lostMs = 0;
      }
      since = from;
      if (late > lateMs) lostMs += Math.min(late, now - since);
      forMs = now - since - lostMs;
      // Asked at the first sign only: it costs more than all the rest.
      if (forMs > thresholdMs / 4) waitedBefore ??= waited();
      isStalled = forMs > thresholdMs && forMs - (waited() - waitedBefore!) > thresholdMs;
      return isStalled ? "began" : "quiet";
    },
  };
}

/**
 * How long main's thread has been ready to run in all without a CPU, in milliseconds. Known on Linux; elsewhere, and where the file
 * may not be read, it is 0.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function makeWaited(fs: typeof Fs, pid: number): () => number {
  const file = `/proc/${pid}/task/${pid}/schedstat`;
  let isKnown = true;
  return () => {
    if (!isKnown) return 0;
    try {
      return Number(fs.readFileSync(file, "latin1").split(" ")[1]) / 1e6 || 0;
    } catch {
      isKnown = false;
      return 0;
    }
  };
}
