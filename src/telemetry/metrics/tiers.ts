import { slaFor } from "../../base/sla.js";
import type { SlaTarget } from "../../contracts/index.js";
import type { Settings } from "../options.js";
import { MAX_TIERS, type QueueSeries, type TierSeries } from "./queue-series.js";

/** The tiers of one queue and the numbers of each. Where every priority is a tier, those that are not declared come up with their first item. */
export class Tiers {
  readonly names: string[];
  readonly series: TierSeries[];
  private readonly sla: Settings["sla"];
  /** Which tier each priority is, where there are priorities. */
  private readonly byPriority = new Map<number, number>();

  constructor(
    { tiers, sla }: Settings,
    names: readonly string[],
    private readonly queue: QueueSeries,
  ) {
    this.sla = sla;
    this.names = [...names];
    for (const [priority, tier] of tiers) {
      if (priority === 0) this.names[0] = tier;
      else this.byPriority.set(priority, this.names.push(tier) - 1);
    }
    this.byPriority.set(0, 0);
    // Priorities have names, and 0 has none: it is not declared.
    const isFirstDeclared = tiers.size === 0 || tiers.has(0);
    this.series = this.names.map((tier, i) => this.seriesFor(tier, i, i > 0 || isFirstDeclared));
    for (const tier of sla.keys()) {
      // Of a queue whose tiers are all known there is no such name; else it is a number.
      if (tier !== "default" && tier !== "other" && !this.names.includes(tier)) this.of(Number(tier));
    }
  }

  /** The index of the tier that a priority is. */
  of(priority: number): number {
    const known = this.byPriority.get(priority);
    if (known !== undefined) return known;
    // What every item has a value of its own for is no tier: neither names nor the map may grow for ever.
    if (this.names.length > MAX_TIERS) return MAX_TIERS;
    const index = this.names.length;
    const name = index < MAX_TIERS ? String(priority) : "other";
    this.names.push(name);
    this.series.push(this.seriesFor(name, index, true));
    if (index < MAX_TIERS) this.byPriority.set(priority, index);
    return index;
  }

  /** What was declared for the tier, also where its numbers are lumped together with others'. */
  slaOf(tier: number): SlaTarget | undefined {
    return slaFor(this.sla, this.names[tier]!) ?? this.series[tier]?.sla;
  }

  private seriesFor(name: string, index: number, isDeclared: boolean): TierSeries {
    const tier = this.queue.tier(index < MAX_TIERS ? name : "other", isDeclared);
    tier.sla = slaFor(this.sla, name) ?? tier.sla;
    if (tier.sla !== undefined) for (const verdict of this.queue.verdicts) tier.mayBreach(verdict);
    return tier;
  }
}
