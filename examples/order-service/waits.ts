/** How far back the percentiles look, in milliseconds. */
export const WINDOW_MS = 3_000;

/** How long the orders of the last few seconds waited, by tier. */
export class Waits {
  private readonly tiers = new Map<string, { at: number; waitMs: number }[]>();

  record(tier: string, waitMs: number): void {
    const waits = this.tiers.get(tier) ?? [];
    this.tiers.set(tier, waits);
    waits.push({ at: performance.now(), waitMs });
  }

  /** Milliseconds, one figure for each share asked for; undefined where no order was taken. */
  percentiles(tier: string, ...shares: number[]): (number | undefined)[] {
    const since = performance.now() - WINDOW_MS;
    const recent = (this.tiers.get(tier) ?? []).filter(({ at }) => at >= since);
    this.tiers.set(tier, recent);
    const sorted = recent.map(({ waitMs }) => waitMs).sort((a, b) => a - b);
    return shares.map((share) => sorted[Math.ceil(share * sorted.length) - 1]);
  }
}
