import type { BreachReport } from "./report.js";

/** Members whose texts come from the user; all others are names of ours and numbers. */
const THEIRS = new Set([
  "correlationId",
  "correlationIds",
  "label",
  "step",
  "sentence",
  "failure",
  "lastFailure",
  "where",
  "traceId",
  "payload",
]);

/** The same report with every text of the user's put through `redact`. */
export function redacted(report: BreachReport, redact: (text: string) => string): BreachReport {
  const walk = (value: unknown, isTheirs: boolean): unknown => {
    if (typeof value === "string") return isTheirs ? redact(value) : value;
    if (Array.isArray(value)) return value.map((each) => walk(each, isTheirs));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, walk(each, isTheirs || THEIRS.has(key))]),
    );
  };
  return Object.assign(
    Object.create(Object.getPrototypeOf(report)) as BreachReport,
    walk({ ...report }, false),
  );
}
