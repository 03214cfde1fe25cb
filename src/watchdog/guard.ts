/** Where errors end that are nobody's business but the watchdog's: it dies neither silently nor loudly. */
export interface Guard {
  /** What `act` returns, or nothing if it throws. */
  attempt<R>(act: () => R): R | undefined;
  fault(error: unknown): void;
}
