/** What becomes of a task's context. */
export interface Fate {
  /** The handler is over. */
  isSettled: boolean;
  /** What it failed with, if it did. */
  error: unknown;
  /** Nothing holds the context any more. */
  isOrphan: boolean;
  /** How many collections had been seen when the token was let go. */
  releasedAt: number;
}

/** How many collections a token must outlive to count as alive: one may have been half done when it was let go. */
const PROOF = 2;

let collections = 0;
/** Is a sentinel out, to tell of the next collection? */
let isWatching = false;

/** Holds fates, which hold nothing of a context. `undefined` stands for a sentinel. */
const tokens = new FinalizationRegistry<Fate | undefined>((fate) => {
  if (fate !== undefined) fate.isOrphan = true;
  else {
    collections++;
    isWatching = false;
  }
});

/** Leaves the token to the garbage collector: whoever calls this must hold it no longer. */
export function release(token: object, fate: Fate, handler: Promise<unknown>): void {
  const over = () => {
    fate.isSettled = true;
    tokens.unregister(fate);
  };
  fate.releasedAt = collections;
  tokens.register(token, fate, fate);
  handler.then(over, (error: unknown) => {
    fate.error = error;
    over();
  });
}

/**
 * True is proven: nothing holds the task's context, and its handler is not over. False: something did at the last collection of the
 * whole heap, which alone can tell. Undefined: not known.
 */
export function neverResumes(fate: Fate): boolean | undefined {
  if (fate.isSettled) return undefined;
  if (fate.isOrphan) return true;
  if (!isWatching) {
    isWatching = true;
    tokens.register({}, undefined);
  }
  return collections >= fate.releasedAt + PROOF ? false : undefined;
}
