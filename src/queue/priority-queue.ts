import { checkKnown, checkNumber, checkObject, checkOneOf, type OptionNames } from "../base/checks.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { checkText } from "../base/limits.js";
import { type PriorityPutOptions, QUEUE_OPTIONS, type QueueOptions } from "./options.js";
import { Queue } from "./queue.js";
import { Ranked } from "./storage/ranked.js";
import { ONLY_PLACE, type Place } from "./storage/store.js";

/** Beyond this, adding an instant in milliseconds to a key would lose precision. */
const GREATEST_KEY = 2 ** 43;

export interface PriorityQueueOptions<T, Tier extends string = string> extends QueueOptions<T> {
  /**
   * Names for priorities, such as `{ vip: 0, regular: 10 }`; each priority once. An item without `tier` or `priority` goes to the
   * least urgent tier. Default: none, priorities are numbers.
   */
  tiers?: { readonly [Name in Tier]: number } | undefined;
  /** Milliseconds of waiting that are worth one priority step; greater than 0. Default: no aging. */
  agingMs?: number | undefined;
  /** `priority`: smallest first. `deadline`: earliest first, items without one last; excludes aging. Default: `priority`. */
  order?: "priority" | "deadline" | undefined;
}

const OPTIONS: OptionNames<PriorityQueueOptions<unknown>> = {
  ...QUEUE_OPTIONS,
  tiers: true,
  agingMs: true,
  order: true,
};

/**
 * Most urgent first; first in, first out among equals. TypeScript knows the names of the tiers from `tiers`, or from a second type
 * argument, and refuses another one. Where only the type of the items is given, as in `new PriorityQueue<Order>({ tiers })`, it can't
 * find them out, and any string compiles; a wrong one then is an error at the put.
 *
 * @example
 * const orders: PriorityQueue<string, "vip" | "regular"> = new PriorityQueue({ tiers: { vip: 0, regular: 10 } });
 * await orders.put("two cats", { tier: "vip" });
 */
export class PriorityQueue<T, Tier extends string = string> extends Queue<T, PriorityPutOptions<Tier>> {
  /** Most urgent first; empty where there are no tiers. */
  private readonly ladder: readonly Place[];
  private readonly byName: ReadonlyMap<string, Place>;
  private readonly usual: Place;
  private readonly agingMs: number;
  /** Priorities are nearer to 0 than this. */
  private readonly bound: number;
  /** The answer to "where does this number go", as long as nothing can ask again before it is used. */
  private readonly numbered: Place = { priority: 0, tier: 0 };

  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(options?: PriorityQueueOptions<T, Tier>) {
    checkObject("options", options);
    checkKnown(options, OPTIONS);
    const order = checkOneOf("order", options?.order, ["priority", "deadline"]);
    const agingMs = checkAging(options?.agingMs, order);
    const rungs = checkTiers(options?.tiers, agingMs);
    const ladder = rungs.map(([, priority], tier) => ({ priority, tier }));
    const usual = ladder.at(-1) ?? ONLY_PLACE;
    const names = rungs.map(([name]) => name);
    const store = new Ranked<T>({
      order,
      agingMs,
      tierCount: Math.max(rungs.length, 1),
      evicts: options?.whenFull === "evict",
    });
    super(store, options, usual, names.length === 0 ? undefined : names, agingMs > 0);
    this.ladder = ladder;
    this.byName = new Map(names.map((name, tier) => [name, ladder[tier]!]));
    this.usual = usual;
    this.agingMs = agingMs;
    this.bound = GREATEST_KEY / agingMs;
  }

  protected override placeOf({ priority, tier }: PriorityPutOptions): Place {
    if (tier !== undefined) return this.tierNamed(tier, priority);
    if (priority === undefined) return this.usual;
    if (typeof priority !== "number" || !(priority < this.bound && priority > -this.bound)) {
      checkPriority("priority", priority, this.agingMs);
    }
    const place = this.isPlain ? this.numbered : { priority: 0, tier: 0 };
    place.priority = priority + 0; // -0 is 0
    if (this.ladder.length > 0) place.tier = this.tierOf(priority);
    return place;
  }

  private tierNamed(tier: string, priority: number | undefined): Place {
    if (priority !== undefined) {
      throw new InvalidOptionTypeError("priority", priority, "left out where a tier is given");
    }
    const place = this.byName.get(tier);
    if (place !== undefined) return place;
    const names = [...this.byName.keys()];
    if (names.length === 0) {
      throw new InvalidOptionTypeError("tier", tier, "left out: this queue has no tiers");
    }
    const allowed = `one of ${names.map((name) => `"${name}"`).join(", ")}`;
    if (typeof tier !== "string") throw new InvalidOptionTypeError("tier", tier, allowed);
    throw new InvalidOptionRangeError("tier", tier, allowed);
  }

  /** A number between two tiers belongs to the more urgent one, one beyond the ends to the end. */
  private tierOf(priority: number): number {
    let tier = 0;
    while (tier + 1 < this.ladder.length && this.ladder[tier + 1]!.priority <= priority) tier++;
    return tier;
  }
}

function checkAging(agingMs: unknown, order: "priority" | "deadline"): number {
  if (agingMs === undefined) return 0;
  if (order === "deadline") {
    throw new InvalidOptionTypeError("agingMs", agingMs, 'left out with order "deadline"');
  }
  checkNumber("agingMs", agingMs, "milliseconds, greater than 0", (n) => n > 0 && Number.isFinite(n));
  return agingMs as number;
}

function checkPriority(name: string, priority: unknown, agingMs: number): void {
  checkNumber(name, priority, "a finite number", Number.isFinite);
  if (Math.abs((priority as number) * agingMs) >= GREATEST_KEY) {
    throw new InvalidOptionRangeError(
      name,
      priority,
      `less than 2^43 when multiplied by agingMs (${agingMs})`,
    );
  }
}

/** The tiers by urgency. */
function checkTiers(tiers: unknown, agingMs: number): [name: string, priority: number][] {
  if (tiers === undefined) return [];
  const allowed = "an object of names and finite numbers";
  if (typeof tiers !== "object" || tiers === null || Array.isArray(tiers)) {
    throw new InvalidOptionTypeError("tiers", tiers, allowed);
  }
  const rungs = Object.entries(tiers) as [string, number][];
  if (rungs.length === 0) throw new InvalidOptionRangeError("tiers", tiers, "left out where there are none");
  for (const [name, priority] of rungs) {
    checkText("tiers", name);
    checkPriority(`tiers.${name}`, priority, agingMs);
  }
  rungs.sort(([, a], [, b]) => a - b);
  for (const [i, [name, priority]] of rungs.entries()) {
    if (i > 0 && rungs[i - 1]![1] === priority) {
      throw new InvalidOptionRangeError(
        `tiers.${name}`,
        priority,
        "different from the priority of other tiers",
      );
    }
  }
  return rungs;
}
