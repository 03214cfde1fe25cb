/** Heads that can be watched at a time. */
export const SLOTS = 1024;

/** Where in the shared memory what is. Numbers are 64 bits wide: a processor writes such a one at once. */
export const LAYOUT = {
  /** When the event loop last turned, in milliseconds of the clock that all threads share. */
  beat: 0,
  /** 1 while a debugger may hold the program. */
  debugged: 1,
  /** Index of the first of the slots; each has when its head came in (NaN: none), its SLA in milliseconds, and when that was written. */
  slots: 3,
  /** Index of the 32-bit word that becomes 1 when the thread has let go of main. */
  over: 4,
} as const;

export type Layout = typeof LAYOUT;

export const BYTES = (LAYOUT.slots + 3 * SLOTS) * 8;

/** Milliseconds of the clock that all threads share; `performance.now()` counts from each thread's own start. */
export function hrNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
