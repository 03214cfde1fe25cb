import type { ClearedReport } from "../../watchdog/report/cleared.js";
import type { BreachReport } from "../../watchdog/report/report.js";
import { UNKNOWN } from "../../watchdog/situation.js";
import type { ClearedRow, ReportAnswer, ReportHead, Why } from "../protocol.js";

/** How many reports are kept, and how many bytes of them. */
const MAX_REPORTS = 20;
const MAX_BYTES = 2_000_000;

interface Kept {
  head: ReportHead;
  readonly json: string;
  readonly text: string;
  readonly different: readonly string[];
}

/** The last reports of breaches, and which breaches last. */
export class Reports {
  /** The oldest first. */
  private readonly kept: Kept[] = [];
  private bytes = 0;
  private count = 0;
  /** Of breaches that last, by queue and tier. */
  private readonly open = new Map<string, ReportHead>();

  constructor(private readonly process: string) {}

  /** Keeps a report; what it says of `different` was found out now. */
  add(report: BreachReport, different: readonly string[]): ReportHead {
    const head = headOf(report, this.process, `${this.process}-${++this.count}`);
    const kept = { head, json: JSON.stringify(report), text: String(report), different };
    this.kept.push(kept);
    this.bytes += sizeOf(kept);
    while (this.kept.length > MAX_REPORTS || (this.bytes > MAX_BYTES && this.kept.length > 1)) {
      this.bytes -= sizeOf(this.kept.shift()!);
    }
    this.open.set(keyOf(report.queue, report.tier), head);
    return head;
  }

  cleared({ queue, tier, lastedMs, verdict, missed, changed }: ClearedReport, at: number): ClearedRow {
    this.open.delete(keyOf(queue, tier));
    for (const kept of this.kept) {
      const { head } = kept;
      if (head.queue === queue && head.tier === tier) kept.head = { clearedAt: at, ...head };
    }
    return { process: this.process, queue, tier, at, lastedMs, verdict, missed, changed };
  }

  /** Why the queue is late, where a report said so: of the tier, or of any other. */
  whyOf(queue: string, tier: string | undefined): Why | undefined {
    let head = tier === undefined ? undefined : this.open.get(keyOf(queue, tier));
    if (head === undefined) {
      for (const each of this.open.values()) if (each.queue === queue) head = each;
    }
    return head && { ...whyIn(head), reportId: head.id };
  }

  /** Of a queue that is gone no breach lasts. */
  forget(queue: string): void {
    for (const [key, head] of this.open) if (head.queue === queue) this.open.delete(key);
  }

  /** The newest first. */
  list(): ReportHead[] {
    return this.kept.map(({ head }) => head).reverse();
  }

  find(id: string): ReportAnswer | undefined {
    const kept = this.kept.find(({ head }) => head.id === id);
    if (kept === undefined) return undefined;
    const { head, json, text, different } = kept;
    return { ...head, report: JSON.parse(json), text, different };
  }

  /** Those in which the text is. */
  with(text: string): ReportHead[] {
    const inJson = JSON.stringify(text).slice(1, -1);
    return this.kept
      .filter(({ json }) => json.includes(inJson))
      .map(({ head }) => head)
      .reverse();
  }
}

export function headOf(report: BreachReport, process: string, id: string): ReportHead {
  const [verdict] = report.verdicts;
  return {
    id,
    process,
    queue: report.queue,
    tier: report.tier,
    at: report.at,
    waitMs: report.waitMs,
    targetMs: report.targetMs,
    depth: report.depth,
    verdict: verdict?.name ?? UNKNOWN,
    confidence: verdict?.confidence,
    sentence: verdict?.sentence ?? "no check has found a cause",
    corrects: report.corrects,
  };
}

export function whyIn({ verdict, confidence, sentence, tier, at }: ReportHead): Why {
  return { verdict, confidence, sentence, tier, at };
}

function sizeOf({ json, text }: Kept): number {
  return json.length + text.length;
}

function keyOf(queue: string, tier: string): string {
  return `${queue}\0${tier}`;
}
