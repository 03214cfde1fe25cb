import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MergedMetrics } from "../../src/inspector/remote/merged-metrics.js";

const NAME = 'queue_name="a}\\" 1",queue_tier="default"';
const IN = `queue_enqueued_total{${NAME}}`;
const DEPTH = `queue_depth{${NAME}}`;
const AGE = `queue_oldest_age_seconds{${NAME}}`;
const TARGET = `queue_sla_target_seconds{${NAME}}`;

function figureOf(metrics: MergedMetrics, series: string): number | undefined {
  const line = metrics
    .text()
    .split("\n")
    .find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

function text(values: Record<string, number>): string {
  return `# HELP x y\n${Object.entries(values)
    .map(([series, value]) => `${series} ${value}\n`)
    .join("")}`;
}

describe("metrics of several processes", () => {
  it("are added up, but of ages and targets the greatest counts", () => {
    const metrics = new MergedMetrics();
    metrics.update("1", text({ [IN]: 5, [DEPTH]: 2, [AGE]: 1.5, [TARGET]: 3 }));
    metrics.update("2", text({ [IN]: 7, [DEPTH]: 4, [AGE]: 0.5, [TARGET]: 3 }));
    expect(figureOf(metrics, IN)).toBe(12);
    expect(figureOf(metrics, DEPTH)).toBe(6);
    expect(figureOf(metrics, AGE)).toBe(1.5);
    expect(figureOf(metrics, TARGET)).toBe(3);
  });

  it("of what a broker tells all of them are not added up", () => {
    const shared = 'queue_depth{queue_name="a",queue_tier="default",queue_scope="shared"}';
    const metrics = new MergedMetrics();
    metrics.update("1", text({ [shared]: 40 }));
    metrics.update("2", text({ [shared]: 41 }));
    expect(figureOf(metrics, shared)).toBe(41);
  });

  it("keep what a process had counted that is gone, and show its depth as 0", () => {
    const metrics = new MergedMetrics();
    metrics.update("1", text({ [IN]: 5, [DEPTH]: 2, [TARGET]: 3 }));
    metrics.text();
    metrics.retain(new Set());
    expect(figureOf(metrics, IN)).toBe(5);
    expect(figureOf(metrics, DEPTH)).toBe(0);
    expect(figureOf(metrics, TARGET)).toBe(3);
    metrics.update("2", text({ [IN]: 1 }));
    expect(figureOf(metrics, IN)).toBe(6);
  });

  it("count once what a process had counted that was taken for gone and is there again", () => {
    const metrics = new MergedMetrics();
    metrics.update("1", text({ [IN]: 5 }));
    metrics.retain(new Set());
    expect(figureOf(metrics, IN)).toBe(5);
    metrics.update("1", text({ [IN]: 6 }));
    expect(figureOf(metrics, IN)).toBe(6);
    metrics.retain(new Set());
    expect(figureOf(metrics, IN)).toBe(6);
  });

  it("a watchdog's last run, and a capacity, go with the last process that has them", () => {
    const metrics = new MergedMetrics();
    const run = "queue_watchdog_last_run_timestamp_seconds{}";
    metrics.update("1", text({ [run]: 1e9, 'queue_capacity{queue_name="a"}': 10 }));
    metrics.text();
    metrics.retain(new Set());
    expect(metrics.text()).toBe("");
  });

  it("go on where they were when what merges them is started anew, also with processes that ended meanwhile", () => {
    const before = new MergedMetrics();
    before.update("1", text({ [IN]: 5 }));
    before.retain(new Set());
    before.update("2", text({ [IN]: 3, [DEPTH]: 9 }));
    const metrics = new MergedMetrics(JSON.parse(JSON.stringify(before.kept())));
    expect(figureOf(metrics, IN)).toBe(8);
    metrics.retain(new Set(["3"]));
    metrics.update("3", text({ [IN]: 1 }));
    expect(figureOf(metrics, IN)).toBe(9);
  });

  it("leave out what is not ours", () => {
    const metrics = new MergedMetrics();
    metrics.update("1", text({ "process_cpu_seconds_total{}": 5, [IN]: 1 }));
    expect(metrics.text()).not.toContain("process_cpu");
  });

  it("have the lines of a histogram together, with its buckets in order", () => {
    const one = (name: string) =>
      `queue_put_seconds_count{queue_name="${name}"} 1\nqueue_put_seconds_sum{queue_name="${name}"} 0.5\n` +
      `queue_put_seconds_bucket{queue_name="${name}",le="0.5"} 1\nqueue_put_seconds_bucket{queue_name="${name}",le="+Inf"} 1\n`;
    const metrics = new MergedMetrics();
    metrics.update("1", one("b") + one("a"));
    metrics.update("2", one("a") + one("c"));
    const lines = metrics.text().split("\n").slice(2, -1);
    expect(lines.map((line) => /queue_name="(.)"/.exec(line)![1])).toEqual([..."aaaabbbbcccc"]);
    expect(lines.slice(0, 4)).toEqual([
      'queue_put_seconds_count{queue_name="a"} 2',
      'queue_put_seconds_sum{queue_name="a"} 1',
      'queue_put_seconds_bucket{queue_name="a",le="0.5"} 2',
      'queue_put_seconds_bucket{queue_name="a",le="+Inf"} 2',
    ]);
  });

  it("no counter ever falls, whatever comes, goes, answers or doesn't", () => {
    const step = fc.record({
      process: fc.nat(4),
      added: fc.nat(10),
      answers: fc.boolean(),
      ends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(fc.nat(59)), (steps, restarts) => {
        let metrics = new MergedMetrics();
        const counts = new Map<string, number>();
        const generation = new Map<number, number>();
        let last = 0;
        for (const [i, { process, added, answers, ends }] of steps.entries()) {
          const id = `${process}-${generation.get(process) ?? 0}`;
          const count = (counts.get(id) ?? 0) + added;
          counts.set(id, count);
          if (answers) metrics.update(id, text({ [IN]: count }));
          if (ends) {
            counts.delete(id);
            generation.set(process, (generation.get(process) ?? 0) + 1);
          }
          metrics.retain(new Set(counts.keys()));
          if (restarts.includes(i)) metrics = new MergedMetrics(JSON.parse(JSON.stringify(metrics.kept())));
          const now = figureOf(metrics, IN) ?? last;
          expect(now).toBeGreaterThanOrEqual(last);
          last = now;
        }
      }),
      { numRuns: 300 },
    );
  });
});
