/**
 * While the event loop is blocked by code the process works for such a share of the time, even where others want the processor, too;
 * with less, there was none for it.
 */
export const BLOCKING_CPU_SHARE = 0.25;

/** Processor time of the process so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
