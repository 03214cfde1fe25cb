import { checkKnown, checkNumber, checkObject } from "../../base/checks.js";

/** A number that a check goes by: its default, and what is allowed. */
interface Threshold {
  readonly standard: number;
  readonly allowed: string;
  allows(n: number): boolean;
}

export function share(standard: number): Threshold {
  return { standard, allowed: "a share, from 0 to 1", allows: (n) => n >= 0 && n <= 1 };
}

export function wholeNumber(standard: number): Threshold {
  return { standard, allowed: "a whole number, from 1", allows: (n) => n >= 1 && Number.isSafeInteger(n) };
}

export function factor(standard: number): Threshold {
  return { standard, allowed: "a factor, from 1", allows: (n) => n >= 1 && Number.isFinite(n) };
}

export function milliseconds(standard: number): Threshold {
  return { standard, allowed: "milliseconds, from 0", allows: (n) => n >= 0 };
}

/** The thresholds of a check, with the defaults of those that are undefined. Throws an `InvalidOption…Error`. */
export function readThresholds<Name extends string>(
  given: Partial<Record<Name, number | undefined>> | undefined,
  known: Readonly<Record<Name, Threshold>>,
): Readonly<Record<Name, number>> {
  checkObject("thresholds", given);
  const names = Object.keys(known) as Name[];
  checkKnown(given, Object.fromEntries(names.map((name) => [name, true])));
  const read = names.map((name) => {
    const { standard, allowed, allows } = known[name];
    const value = given?.[name];
    return [name, value === undefined ? standard : checkNumber(name, value, allowed, allows)] as const;
  });
  return Object.fromEntries(read) as Record<Name, number>;
}
