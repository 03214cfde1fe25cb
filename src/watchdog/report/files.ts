import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BreachReport } from "./report.js";

/** Begins the name of every file of ours; nothing else in the folder is touched. */
const PREFIX = "queuescope-";

/**
 * A folder with the latest reports: each file is there whole or not at all, and there are never more than so many. They are rare and
 * small, and whoever hears of one may end the process: so it is written before anybody does.
 */
export class ReportFiles {
  private written = 0;

  constructor(
    private readonly folder: string,
    private readonly most: number,
  ) {}

  /** Throws the file system's error. */
  write(report: BreachReport): void {
    mkdirSync(this.folder, { recursive: true });
    // Sorted by name they are sorted by time.
    const when = new Date(report.at).toISOString().replaceAll(/[-:]/g, "");
    const queue = report.queue.replaceAll(/[^\w.-]/g, "_").slice(0, 60);
    const number = String(++this.written).padStart(6, "0");
    const path = join(this.folder, `${PREFIX}${when}-${process.pid}-${number}-${queue}.json`);
    writeFileSync(`${path}.part`, `${JSON.stringify(report, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.part`, path);
    this.removeOldest();
  }

  private removeOldest(): void {
    const files = readdirSync(this.folder)
      .filter((file) => file.startsWith(PREFIX))
      .sort();
    for (const file of files.slice(0, Math.max(0, files.length - this.most))) {
      rmSync(join(this.folder, file), { force: true });
    }
  }
}
