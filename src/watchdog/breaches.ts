/** A breach that is over. */
export interface Cleared {
  readonly tier: number;
  readonly lastedMs: number;
}

/** The breaches of a queue that are on. Instants are monotonic milliseconds. */
export class Breaches {
  private readonly since = new Map<number, number>();
  private readonly clearedAt = new Map<number, number>();

  /** A look has seen whether the tier is beyond its SLA: gives the breach that ends with that, if one does. */
  look(tier: number, isBreached: boolean, now: number): Cleared | undefined {
    const since = this.since.get(tier);
    if (isBreached) {
      if (since === undefined) this.since.set(tier, now);
      return undefined;
    }
    if (since === undefined) return undefined;
    this.since.delete(tier);
    this.clearedAt.set(tier, now);
    return { tier, lastedMs: now - since };
  }

  /**
   * Somebody else has seen one at `seenAt`, which has been on since then; the next look sees whether it is over. False: a look has seen
   * that already.
   */
  note(tier: number, since: number, seenAt: number): boolean {
    if (seenAt <= (this.clearedAt.get(tier) ?? Number.NEGATIVE_INFINITY)) return false;
    if (!this.since.has(tier)) this.since.set(tier, since);
    return true;
  }

  /** Ends all of them. */
  clear(now: number): Cleared[] {
    return [...this.since.keys()].flatMap((tier) => this.look(tier, false, now) ?? []);
  }
}
