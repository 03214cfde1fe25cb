import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BreachReport } from "./report.js";

/** Begins the name of every file of ours; nothing else in the folder is touched. */
const PREFIX = "queuescope-";

/** A folder with the latest reports: each file is there whole or not at all, and there are never more than so many. */
export class ReportFiles {
  private last: Promise<unknown> = Promise.resolve();
  private written = 0;

  constructor(
    private readonly folder: string,
    private readonly most: number,
  ) {}

  /** Resolves with the file's path. Rejects with the file system's error. */
  write(report: BreachReport): Promise<string> {
    const written = this.last.then(() => this.writeNow(report));
    this.last = written.catch(() => {});
    return written;
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await this.last;
  }

  private async writeNow(report: BreachReport): Promise<string> {
    await mkdir(this.folder, { recursive: true });
    // Sorted by name they are sorted by time.
    const when = new Date(report.at).toISOString().replaceAll(/[-:]/g, "");
    const queue = report.queue.replaceAll(/[^\w.-]/g, "_").slice(0, 60);
    const number = String(++this.written).padStart(6, "0");
    const path = join(this.folder, `${PREFIX}${when}-${process.pid}-${number}-${queue}.json`);
    await writeFile(`${path}.part`, `${JSON.stringify(report, undefined, 2)}\n`, { mode: 0o600 });
    await rename(`${path}.part`, path);
    await this.removeOldest();
    return path;
  }

  private async removeOldest(): Promise<void> {
    const files = (await readdir(this.folder)).filter((file) => file.startsWith(PREFIX)).sort();
    for (const file of files.slice(0, Math.max(0, files.length - this.most))) {
      await rm(join(this.folder, file), { force: true });
    }
  }
}
