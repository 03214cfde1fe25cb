import type { Check, Situation, Verdict } from "./situation.js";

/** What a breach is put down to while no check names its cause. */
export const UNKNOWN = "unknown";

/** What a breach is counted as. */
export function verdictOf({ verdicts }: { readonly verdicts: readonly Verdict[] }): string {
  return verdicts[0]?.name ?? UNKNOWN;
}

/** Runs the checks: the causes that they found, the surest first, and those that can't be told yet. */
export function diagnose(
  checks: readonly Check[],
  situation: Situation,
  fault: (error: unknown) => void,
): { verdicts: Verdict[]; notYet: string[] } {
  const verdicts: Verdict[] = [];
  const notYet: string[] = [];
  for (const check of checks) {
    try {
      const found = check.look(situation);
      if (found === "not enough evidence yet") notYet.push(check.name);
      else if (found !== undefined) verdicts.push(found);
    } catch (error) {
      fault(error);
    }
  }
  // Stable: of two that are as sure, the check that stands first is the more specific one.
  verdicts.sort((a, b) => b.confidence - a.confidence);
  return { verdicts, notYet };
}
