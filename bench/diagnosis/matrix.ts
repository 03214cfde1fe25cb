/** How often each suite led to each verdict. */
export class Matrix {
  private readonly counts = new Map<string, Map<string, number>>();

  add(suite: string, verdict: string): void {
    const row = this.counts.get(suite) ?? new Map<string, number>();
    this.counts.set(suite, row);
    row.set(verdict, (row.get(verdict) ?? 0) + 1);
  }

  runs(suite: string): number {
    return [...(this.counts.get(suite)?.values() ?? [])].reduce((a, b) => a + b, 0);
  }

  /** Share of the suite's runs that led to the verdict of its name. */
  accuracy(suite: string): number {
    return (this.counts.get(suite)?.get(suite) ?? 0) / Math.max(1, this.runs(suite));
  }

  /** A row for each suite, a column for each verdict that came up; by number, so that it fits a page. */
  toString(): string {
    const suites = [...this.counts.keys()];
    const others = [...new Set([...this.counts.values()].flatMap((row) => [...row.keys()]))]
      .filter((verdict) => !suites.includes(verdict))
      .sort();
    const columns = [...suites, ...others];
    const rows = suites.map((suite, i) => [
      `${i + 1} ${suite}`,
      ...columns.map((verdict) => String(this.counts.get(suite)!.get(verdict) ?? "·")),
      String(this.runs(suite)),
      `${(this.accuracy(suite) * 100).toFixed(1)} %`,
    ]);
    const heads = [
      "",
      ...columns.map((_, i) => (i < suites.length ? String(i + 1) : columns[i]!)),
      "runs",
      "right",
    ];
    const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)));
    return [heads, ...rows]
      .map((row) =>
        row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
      )
      .join("\n");
  }
}
