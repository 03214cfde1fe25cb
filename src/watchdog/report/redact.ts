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
  "evidence",
]);

/** The members of these have names of the user's, too. */
const KEYS = new Set(["payload"]);

/** The same report with every text of the user's put through `redact`. */
export function redacted(report: BreachReport, redact: (text: string) => string): BreachReport {
  const walk = (value: unknown, isTheirs: boolean, areKeys: boolean): unknown => {
    if (typeof value === "string") return isTheirs ? redact(value) : value;
    if (Array.isArray(value)) return value.map((each) => walk(each, isTheirs, areKeys));
    if (typeof value !== "object" || value === null) return value;
    const entries: [string, unknown][] = [];
    const taken = new Set<string>();
    for (const [key, each] of Object.entries(value)) {
      const name = areKeys ? unlike(taken, redact(key)) : key;
      taken.add(name);
      entries.push([name, walk(each, isTheirs || THEIRS.has(key), areKeys || KEYS.has(key))]);
    }
    return Object.fromEntries(entries);
  };
  return Object.assign(
    Object.create(Object.getPrototypeOf(report)) as BreachReport,
    walk({ ...report }, false, false),
  );
}

/** Several keys may have become the same, and none is to be lost. */
function unlike(taken: ReadonlySet<string>, key: string): string {
  let name = key;
  for (let i = 2; taken.has(name); i++) name = `${key} (${i})`;
  return name;
}
