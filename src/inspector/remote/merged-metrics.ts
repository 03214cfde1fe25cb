import { INSTRUMENTS, type InstrumentName, NOT_ADDED } from "../../telemetry/metrics/instruments.js";
import { promName } from "../../telemetry/metrics/labels.js";
import { headOf } from "../metric-head.js";

/** How figures of several processes become one. `stay`: what a process had counted stays when it is gone. */
type Rule = "stay" | "sum" | "max";

interface Family {
  readonly name: InstrumentName;
  readonly rule: Rule;
}

/** Metrics by what their series are called. */
const FAMILIES = new Map<string, Family>();
for (const name of Object.keys(INSTRUMENTS) as InstrumentName[]) {
  const { kind } = INSTRUMENTS[name];
  const base = promName(name);
  if (kind === "gauge") FAMILIES.set(base, { name, rule: NOT_ADDED.has(name) ? "max" : "sum" });
  else if (kind === "counter") FAMILIES.set(`${base}_total`, { name, rule: "stay" });
  else for (const part of ["count", "sum", "bucket"]) FAMILIES.set(`${base}_${part}`, { name, rule: "stay" });
}

/** What becomes of gauges when no process has them any more, as series must not disappear: 0, unless it is said here. What would mean something else as 0 goes. */
const AFTERWARDS: Partial<Record<InstrumentName, "as it was" | "goes">> = {
  "queue.sla.target.seconds": "as it was",
  "queue.sla.objective.ratio": "as it was",
  "queue.capacity": "goes",
  "queue.watchdog.last.run.timestamp.seconds": "goes",
};

/** What every process has, as a broker tells it. */
const SHARED = 'queue_scope="shared"';
/** More series than that are not kept of processes that are gone. */
const MAX_KEPT = 200_000;

/** Of how many processes that are gone it is known what each had counted. */
const MAX_ENDED = 100;

/** Series and their values, as a text for Prometheus has them. */
export type Values = Map<string, number>;

/** What is kept over a restart of this process. */
export interface KeptMetrics {
  /** Of processes that are gone, together. */
  readonly gone: Readonly<Record<string, number>>;
  /** The last of each that was there. */
  readonly processes: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * The metrics of several processes as those of one: counters and histograms are added up, and stay when a process ends; depths and other gauges are added
 * up over those that are there; of ages and targets, and of what a broker says to all of them, the greatest counts. No counter ever falls.
 */
export class MergedMetrics {
  private readonly processes = new Map<string, Values>();
  /** What processes had counted that are gone. */
  private readonly gone: Values = new Map();
  /** Of the last ones of them, what each had counted: one that was taken for gone may be there again. */
  private readonly ended = new Map<string, Values>();
  /** Gauges that were shown, and what they are when no process has them. */
  private readonly shown: Values = new Map();

  constructor(kept?: KeptMetrics) {
    for (const [key, value] of Object.entries(kept?.gone ?? {})) this.gone.set(key, value);
    for (const [id, values] of Object.entries(kept?.processes ?? {})) {
      this.processes.set(id, new Map(Object.entries(values)));
    }
  }

  /** What a process has now. What it had counted and doesn't tell of any more stays as it was. */
  update(id: string, text: string): void {
    this.revive(id);
    const before = this.processes.get(id);
    const values = parse(text);
    if (before !== undefined) {
      for (const [key, value] of before) {
        if (familyOf(key)?.rule === "stay" && !((values.get(key) ?? -1) >= value)) values.set(key, value);
      }
    }
    this.processes.set(id, values);
  }

  /** All others are gone. */
  retain(ids: ReadonlySet<string>): void {
    for (const [id, values] of this.processes) {
      if (ids.has(id)) continue;
      this.processes.delete(id);
      this.ended.set(id, values);
      for (const [key, value] of values) {
        if (familyOf(key)?.rule !== "stay") continue;
        if (this.gone.has(key) || this.gone.size < MAX_KEPT)
          this.gone.set(key, (this.gone.get(key) ?? 0) + value);
      }
    }
    for (const id of [...this.ended.keys()].slice(0, -MAX_ENDED)) this.ended.delete(id);
  }

  private revive(id: string): void {
    const values = this.ended.get(id);
    if (values === undefined) return;
    this.ended.delete(id);
    this.processes.set(id, values);
    for (const [key, value] of values) {
      if (familyOf(key)?.rule === "stay") this.gone.set(key, Math.max(0, (this.gone.get(key) ?? 0) - value));
    }
  }

  get known(): ReadonlySet<string> {
    return new Set(this.processes.keys());
  }

  kept(): KeptMetrics {
    const counts = (values: Values) =>
      Object.fromEntries([...values].filter(([key]) => familyOf(key)?.rule === "stay"));
    return {
      gone: Object.fromEntries(this.gone),
      processes: Object.fromEntries([...this.processes].map(([id, values]) => [id, counts(values)])),
    };
  }

  /** By series. */
  merged(): Values {
    const merged: Values = new Map(this.gone);
    for (const values of this.processes.values()) {
      for (const [key, value] of values) {
        if (familyOf(key) !== undefined) merged.set(key, join(merged.get(key), value, key));
      }
    }
    for (const [key, value] of this.shown) if (!merged.has(key)) merged.set(key, value);
    return merged;
  }

  text(): string {
    const merged = this.merged();
    const byFamily = new Map<InstrumentName, string[]>();
    for (const [key, value] of merged) {
      const family = familyOf(key);
      if (family === undefined) continue;
      const afterwards = AFTERWARDS[family.name];
      if (family.rule !== "stay" && afterwards !== "goes")
        this.shown.set(key, afterwards === "as it was" ? value : 0);
      const lines = byFamily.get(family.name) ?? [];
      if (lines.length === 0) byFamily.set(family.name, lines);
      lines.push(`${key} ${figure(value)}\n`);
    }
    return (Object.keys(INSTRUMENTS) as InstrumentName[])
      .flatMap((name) => {
        const lines = byFamily.get(name);
        return lines === undefined ? [] : [headOf(name), ...grouped(lines)];
      })
      .join("");
  }
}

/** Prometheus wants what belongs to one histogram together. */
function grouped(lines: readonly string[]): string[] {
  return [...lines].sort((a, b) => (seriesOf(a) < seriesOf(b) ? -1 : seriesOf(a) > seriesOf(b) ? 1 : 0));
}

/** The labels of a line, but for the bound of a bucket. */
function seriesOf(line: string): string {
  return line
    .slice(line.indexOf("{"))
    .replace(/,?le="[^"]*"\}.*/s, "}")
    .replace(/\} .*/s, "}");
}

function join(a: number | undefined, b: number, key: string): number {
  if (a === undefined) return b;
  const { rule } = familyOf(key)!;
  return rule === "max" || (rule === "sum" && key.includes(SHARED)) ? Math.max(a, b) : a + b;
}

function familyOf(key: string): Family | undefined {
  const at = key.indexOf("{");
  return FAMILIES.get(at === -1 ? key : key.slice(0, at));
}

/** The lines of ours in a text for Prometheus; a value is what follows the last space. */
function parse(text: string): Values {
  const values: Values = new Map();
  let from = 0;
  for (let to = text.indexOf("\n"); to !== -1; to = text.indexOf("\n", from)) {
    const line = text.slice(from, to);
    from = to + 1;
    if (line === "" || line.startsWith("#")) continue;
    const at = line.lastIndexOf(" ");
    const value = Number(line.slice(at + 1).replace(/^([+-]?)Inf$/, "$1Infinity"));
    if (at > 0 && !Number.isNaN(value)) values.set(line.slice(0, at), value);
  }
  return values;
}

function figure(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
