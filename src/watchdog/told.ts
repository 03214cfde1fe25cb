interface Telling {
  readonly at: number;
  readonly namedCause: boolean;
}

/**
 * Which breaches of a queue have been told: each once, and again after a while as long as it lasts. One whose cause nobody could
 * name is told once more as soon as somebody can.
 */
export class Told {
  /** By tier. */
  private readonly last = new Map<number, Telling>();

  /** Neither says so twice in less than `minIntervalMs`. */
  constructor(private readonly minIntervalMs: number) {}

  /** Must a breach that is seen at `now` be told, whatever is known of it? Only if there is a cause to name? Or not at all? */
  wants(tier: number, now: number): "report" | "cause" | undefined {
    const last = this.last.get(tier);
    if (last === undefined || now - last.at >= this.minIntervalMs) return "report";
    return last.namedCause ? undefined : "cause";
  }

  tell(tier: number, now: number, namedCause: boolean): void {
    this.last.set(tier, { at: now, namedCause });
  }

  forget(tier: number): void {
    this.last.delete(tier);
  }
}
