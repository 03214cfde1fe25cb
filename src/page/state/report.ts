import type { HeadRow, TaskRow, WaitRow } from "../../inspector/protocol.js";

/** What the page shows of a `BreachReport`; everything may be missing, in a report of another version. */
export interface ReportFacts {
  readonly verdicts: readonly {
    readonly name: string;
    readonly confidence: number;
    readonly sentence: string;
  }[];
  readonly notEnoughEvidence: readonly string[];
  readonly tasks: readonly TaskRow[];
  readonly head: readonly HeadRow[];
  readonly rates: RatesFacts | undefined;
  readonly recent: RatesFacts | undefined;
  readonly utilization: number | undefined;
}

export interface RatesFacts {
  readonly arrivedPerSecond?: number;
  readonly takenPerSecond?: number;
  readonly endedPerSecond?: number;
  readonly failedPerSecond?: number;
  readonly retriedPerSecond?: number;
  readonly serviceMs?: number;
}

interface ReportJson {
  readonly verdicts?: ReportFacts["verdicts"];
  readonly notEnoughEvidence?: readonly string[];
  readonly groups?: readonly { readonly tasks?: readonly TaskJson[] }[];
  readonly head?: readonly HeadRow[];
  readonly rates?: RatesFacts;
  readonly recent?: RatesFacts;
  readonly utilization?: number;
}

interface SiteJson {
  readonly name?: string;
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

interface TaskJson extends Omit<TaskRow, "waits" | "putAt" | "frames"> {
  readonly waits?: readonly (Omit<WaitRow, "at"> & { readonly stack?: readonly SiteJson[] })[];
  readonly putAt?: readonly SiteJson[];
  readonly frames?: TaskRow["frames"];
}

export function factsOf(report: object): ReportFacts {
  const { verdicts, notEnoughEvidence, groups, head, rates, recent, utilization } = report as ReportJson;
  return {
    verdicts: verdicts ?? [],
    notEnoughEvidence: notEnoughEvidence ?? [],
    tasks: (groups ?? []).flatMap(({ tasks }) => tasks ?? []).map(taskOf),
    head: head ?? [],
    rates,
    recent,
    utilization,
  };
}

function taskOf({ waits = [], putAt, ...task }: TaskJson): TaskRow {
  return {
    ...task,
    waits: waits.map(({ stack, ...wait }) => ({ ...wait, at: stack?.map(siteWords) })),
    putAt: putAt?.map(siteWords),
  };
}

function siteWords({ name, file, line, column }: SiteJson): string {
  const place = `${file}:${line}${column === undefined ? "" : `:${column}`}`;
  return name === undefined ? place : `${name} (${place})`;
}
