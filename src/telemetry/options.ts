import { checkNumber, checkOneOf } from "../base/checks.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { checkName, checkText } from "../base/limits.js";
import { readSla } from "../base/sla.js";
import type { ByTier, SlaTarget } from "../contracts/index.js";

/** When spans are made: for every item, only under a span of the producer's, or never. */
export type Traces = "always" | "with-parent" | "never";
/**
 * How the `process` span relates to the `send` span: `auto`, its child on a first attempt that waited less than 1 s and whose put is
 * recorded, else linked; a `link` from a trace of its own; or always its child (`parent`). Where the producer's trace is not sampled, the
 * handler's isn't either.
 */
export type Relation = "link" | "parent" | "auto";

/**
 * In which async context handlers run: everything that the `producer` had when it put, its `AsyncLocalStorage` stores included; or
 * that of the `worker`, made where the pool was made or the handler wrapped, with the producer's trace, baggage and correlation ID.
 */
export type AsyncContext = "producer" | "worker";

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
  /** When spans are made. Default: `always`. */
  traces?: Traces | undefined;
  /** How the span of the handler relates to that of the put. Default: `auto`, for queues in this process. */
  relation?: Relation | undefined;
  /**
   * In which async context handlers run. Default: `producer` for p-queue, fastq, async and `generic()`, whose users pass work on from a request;
   * `worker` for our own queues and pools: a handler that outlives the request must not find its transaction, which is over. `producer` costs an
   * `AsyncResource` for each put, 0.03 to 0.1 µs.
   */
  asyncContext?: AsyncContext | undefined;
  /** Whether its metrics are exported; a watchdog sees them in any case. Default: `always`. */
  metrics?: "always" | "never" | undefined;
}

/** A promise about waiting, kept if the share `objective` of items waits no longer than `targetMs`; with `completeMs` also one about being done. */
export interface Sla {
  /** Longest wait, in milliseconds, greater than 0. */
  targetMs: number;
  /** Share of items, between 0 and 1. Default: 0.99. */
  objective?: number | undefined;
  /**
   * Longest time from when an item first comes in until it is settled, in milliseconds, greater than 0: retries and what is between them
   * included. Default: nothing is promised about that. For queues in this process only.
   */
  completeMs?: number | undefined;
}

/** {@link InstrumentOptions}, checked and complete. */
export interface Settings {
  readonly name: string;
  /** Names for priorities. */
  readonly tiers: ReadonlyMap<number, string>;
  readonly sla: ReadonlyMap<string, SlaTarget>;
  /** Whether a tier may be called so. */
  readonly isTier: (name: string) => boolean;
  readonly traces: Traces;
  readonly relation: Relation;
  readonly asyncContext: AsyncContext;
  readonly metrics: "always" | "never";
}

/** Throws an `InvalidOption…Error` that names option, value and what is allowed. `queue` has these tiers, or any number of them. */
export function readOptions(
  options: unknown,
  queue: {
    readonly tiers: readonly string[];
    readonly priorities?: boolean | undefined;
    readonly asyncContext?: AsyncContext | undefined;
    readonly relation?: Relation | undefined;
  },
): Settings {
  if (typeof options !== "object" || options === null) {
    throw new InvalidOptionTypeError("options", options, "an object with at least a name");
  }
  const { name, tiers, sla, traces, relation, asyncContext, metrics } = options as Record<
    keyof InstrumentOptions,
    unknown
  >;
  const checked = checkName("name", name);
  for (const tier of queue.tiers) checkText("tiers", tier);
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
    name: checked,
    tiers: names,
    sla: readSla(sla, isTier, known),
    isTier,
    traces: checkOneOf("traces", traces, ["always", "with-parent", "never"]),
    relation:
      relation === undefined
        ? (queue.relation ?? "auto")
        : checkOneOf("relation", relation, ["link", "parent", "auto"]),
    asyncContext:
      asyncContext === undefined
        ? (queue.asyncContext ?? "worker")
        : checkOneOf("asyncContext", asyncContext, ["producer", "worker"]),
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
    checkText("tiers", name);
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

/** Whether it is how a number is written. */
function isNumber(text: string): boolean {
  return String(Number(text)) === text;
}
