import type { SlaTarget } from "../contracts/index.js";
import { checkKnown, checkNumber } from "./checks.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "./errors.js";

const USUAL_OBJECTIVE = 0.99;

/** What was declared for the tier; `default` stands for every tier without an entry. */
export function slaFor(slas: ReadonlyMap<string, SlaTarget>, tier: string): SlaTarget | undefined {
  return slas.get(tier) ?? slas.get("default");
}

/**
 * An SLA as users declare it, by tier. `known` is what a tier may be called, for the error. Throws an `InvalidOption…Error` that names
 * option, value and what is allowed.
 */
export function readSla(
  sla: unknown,
  isKnown: (tier: string) => boolean,
  known: readonly string[],
): Map<string, SlaTarget> {
  const targets = new Map<string, SlaTarget>();
  if (sla === undefined) return targets;
  if (typeof sla !== "object" || sla === null || Array.isArray(sla)) {
    throw new InvalidOptionTypeError("sla", sla, "an object of tier names and { targetMs, objective }");
  }
  for (const [tier, target] of Object.entries(sla)) {
    if (!isKnown(tier)) {
      const names = known.map((each) => `"${each}"`).join(", ");
      throw new InvalidOptionRangeError("sla", tier, `keyed by a tier of the queue: ${names}`);
    }
    targets.set(tier, readTarget(`sla.${tier}`, target));
  }
  return targets;
}

function readTarget(option: string, target: unknown): SlaTarget {
  if (typeof target !== "object" || target === null) {
    throw new InvalidOptionTypeError(option, target, "an object { targetMs, objective }");
  }
  checkKnown(target, { targetMs: true, objective: true, completeMs: true }, `${option}.`);
  const { targetMs, objective = USUAL_OBJECTIVE, completeMs } = target as Record<keyof SlaTarget, unknown>;
  const isDuration = (n: number) => n > 0 && n < Number.POSITIVE_INFINITY;
  const isShare = (n: number) => n > 0 && n < 1;
  const duration = (name: string, value: unknown) =>
    checkNumber(`${option}.${name}`, value, "milliseconds, greater than 0", isDuration);
  return {
    targetMs: duration("targetMs", targetMs),
    objective: checkNumber(`${option}.objective`, objective, "a number between 0 and 1", isShare),
    ...(completeMs === undefined ? {} : { completeMs: duration("completeMs", completeMs) }),
  };
}
