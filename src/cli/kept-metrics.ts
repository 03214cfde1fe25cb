import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KeptMetrics, MergedMetrics } from "../inspector/remote/merged-metrics.js";
import { usableFolder } from "../inspector/sockets/folders.js";

/**
 * A file with what was counted, also by processes that are gone: when this command is started anew, no counter may fall. It lies in the folder of the
 * sockets, and is the user's only.
 */
export class KeptFile {
  private readonly path: string;
  private writing: Promise<void> = Promise.resolve();

  /** One for each port. Throws where there is no folder for it. */
  constructor(port: number) {
    this.path = join(usableFolder(), `metrics-${port}.json`);
  }

  /** Undefined where there is none, or none that can be read. */
  read(): KeptMetrics | undefined {
    try {
      const kept = JSON.parse(readFileSync(this.path, "utf8")) as Partial<KeptMetrics>;
      return isCounts(kept.gone) && isRecord(kept.processes) && Object.values(kept.processes).every(isCounts)
        ? (kept as KeptMetrics)
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** It is there whole, or as it was. Rejects with the system's error. One is written at a time. */
  async write(metrics: MergedMetrics): Promise<void> {
    const written = this.writing.then(() => this.replace(metrics));
    this.writing = written.catch(() => {});
    await written;
  }

  private async replace(metrics: MergedMetrics): Promise<void> {
    const part = `${this.path}.${process.pid}`;
    await writeFile(part, JSON.stringify(metrics.kept()), { mode: 0o600 });
    await rename(part, this.path);
  }
}

function isCounts(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((each) => typeof each === "number" && each >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
