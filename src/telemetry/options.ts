import { checkNumber, checkOneOf } from "../checks.js";
import type { ByTier, SlaTarget } from "../contracts.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../errors.js";
import { readSla } from "../sla.js";

/** When spans are made: for every item, only under a span of the producer's, or never. */
export type Traces = "always" | "with-parent" | "never";
/**
 * How the `process` span relates to the `send` span: a `link` from a trace of its own, its child (`parent`), or `auto`: its
 * child on a first attempt that waited less than 1 s and whose put is recorded, else linked.
 */
export type Relation = "link" | "parent" | "auto";

/** Options of `instrument`. Only `undefined` stands for the default. */
export interface InstrumentOptions<Tier extends string = string> {
  /** What the queue is called in metrics and spans. Queues of the same name share their series. */
  name: string;
  /**
   * Names for the priorities of a p-queue or an async.priorityQueue, such as `{ urgent: 10, regular: 0 }`. A priority that has no
   * name here is a tier called by its number, 0 is `default`.
   */
  tiers?: Readonly<Record<string, number>> | undefined;
  /** How long items of a tier may wait; `default` stands for every tier that has no entry. Default: no SLA. */
  sla?: ByTier<Tier, Sla> | undefined;
  /** Default: `always`. */
  traces?: Traces | undefined;
  /** Default: `link`. */
  relation?: Relation | undefined;
  /** Default: `always`. */
  metrics?: "always" | "never" | undefined;
}

/** A promise about waiting, kept if the given share of items waits no longer than the target. */
export interface Sla {
  /** Longest wait, in milliseconds, greater than 0. */
  targetMs: number;
  /** Share of items, between 0 and 1. Default: 0.99. */
  objective?: number | undefined;
}

/** {@link InstrumentOptions}, checked and complete. */
export interface Settings {
  readonly name: string;
  /** Names for priorities. */
  readonly tiers: ReadonlyMap<number, string>;
  readonly sla: ReadonlyMap<string, SlaTarget>;
  /** May a tier be called so? */
  readonly isTier: (name: string) => boolean;
  readonly traces: Traces;
  readonly relation: Relation;
  readonly metrics: "always" | "never";
}

/** Throws an `InvalidOption…Error` that names option, value and what is allowed. `queue` has these tiers, or any number of them. */
export function readOptions(
  options: unknown,
  queue: { readonly tiers: readonly string[]; readonly priorities?: boolean | undefined },
): Settings {
  if (typeof options !== "object" || options === null) {
    throw new InvalidOptionTypeError("options", options, "an object with at least a name");
  }
  const { name, tiers, sla, traces, relation, metrics } = options as Record<keyof InstrumentOptions, unknown>;
  if (typeof name !== "string") throw new InvalidOptionTypeError("name", name, "a string");
  if (name === "") throw new InvalidOptionRangeError("name", name, "a string with at least one character");
  if (tiers !== undefined && queue.priorities !== true) {
    throw new InvalidOptionTypeError(
      "tiers",
      tiers,
      "left out: this queue has no priorities to be named here",
    );
  }
  const names = readTiers(tiers);
  const more = queue.priorities === true ? ["other"] : [];
  const known = [...new Set([...names.values(), ...queue.tiers, "default", ...more])];
  const isTier = (tier: string) => known.includes(tier) || (queue.priorities === true && isNumber(tier));
  return {
    name,
    tiers: names,
    sla: readSla(sla, isTier, known),
    isTier,
    traces: checkOneOf("traces", traces, ["always", "with-parent", "never"]),
    relation: checkOneOf("relation", relation, ["link", "parent", "auto"]),
    metrics: checkOneOf("metrics", metrics, ["always", "never"]),
  };
}

function readTiers(tiers: unknown): Map<number, string> {
  const names = new Map<number, string>();
  if (tiers === undefined) return names;
  if (typeof tiers !== "object" || tiers === null || Array.isArray(tiers)) {
    throw new InvalidOptionTypeError("tiers", tiers, "an object of names and priorities");
  }
  for (const [name, given] of Object.entries(tiers)) {
    const priority = checkNumber(`tiers.${name}`, given, "a finite number", Number.isFinite);
    const other = names.get(priority);
    if (other !== undefined) {
      throw new InvalidOptionRangeError(
        `tiers.${name}`,
        priority,
        `another priority than that of "${other}"`,
      );
    }
    if (
      name === "other" ||
      (priority !== 0 && name === "default") ||
      (isNumber(name) && Number(name) !== priority)
    ) {
      throw new InvalidOptionRangeError("tiers", name, "names that aren't those of other tiers");
    }
    names.set(priority, name);
  }
  return names;
}

/** Is it how a number is written? */
function isNumber(text: string): boolean {
  return String(Number(text)) === text;
}
