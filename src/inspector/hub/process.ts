import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { isMainThread, threadId } from "node:worker_threads";
import { processWide } from "../../base/process-wide.js";
import { realNow, realWallNow } from "../../base/real-time.js";
import { shown } from "../../base/shown.js";
import { SCOPE } from "../../telemetry/version.js";
import type { ProcessInfo, ProcessRow, StallRow } from "../protocol.js";
import { rounded } from "./ring.js";

const { inspection } = processWide;

/** Figures of the process itself. */
export class ProcessFigures {
  private readonly facts: Omit<ProcessInfo, "name">;
  private readonly defaultName = nameOfProcess();
  lastStall: StallRow | undefined = undefined;
  private utilization = performance.eventLoopUtilization();
  private busy = 0;
  private cpu = process.cpuUsage();
  private cpuAt = realNow();
  private cpuShare = 0;

  /** `name`: what it is called, where that was said. */
  constructor(public name: string | undefined) {
    const startedAt = Math.round(realWallNow() - 1000 * process.uptime());
    const thread = isMainThread ? undefined : threadId;
    this.facts = {
      id: `${process.pid}${thread === undefined ? "" : `.${thread}`}-${Math.floor(startedAt / 1000).toString(36)}`,
      pid: process.pid,
      host: hostname(),
      startedAt,
      node: process.version,
      version: SCOPE.version,
      threadId: thread,
    };
  }

  get info(): ProcessInfo {
    return { ...this.facts, name: shown(this.name ?? inspection.name ?? this.defaultName) };
  }

  /** Once a second. */
  look(): void {
    const now = performance.eventLoopUtilization();
    this.busy = performance.eventLoopUtilization(now, this.utilization).utilization;
    this.utilization = now;
    const cpu = process.cpuUsage();
    const at = realNow();
    const usedMs = (cpu.user + cpu.system - this.cpu.user - this.cpu.system) / 1000;
    this.cpuShare = at > this.cpuAt ? usedMs / (at - this.cpuAt) : 0;
    this.cpu = cpu;
    this.cpuAt = at;
  }

  row(): Omit<ProcessRow, "hasWatchdog"> {
    const heap = getHeapStatistics();
    return {
      ...this.info,
      loopUtilization: rounded(this.busy),
      cpu: rounded(this.cpuShare),
      heapBytes: heap.used_heap_size,
      heapLimitBytes: heap.heap_size_limit,
      rssBytes: process.memoryUsage.rss(),
      lastStall: this.lastStall,
    };
  }
}

/** The names of the package that the script belongs to, and of the script. PM2 runs it from a script of its own. */
function nameOfProcess(): string {
  const { OTEL_SERVICE_NAME, pm_exec_path } = process.env;
  if (OTEL_SERVICE_NAME) return OTEL_SERVICE_NAME;
  const script = pm_exec_path ?? process.argv[1];
  if (script === undefined) return "node";
  const name = basename(script).replace(/\.[cm]?[jt]s$/, "");
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    const found = packageName(folder);
    if (found !== undefined) return `${found}/${name}`;
    if (folder === dirname(folder)) return name;
  }
}

function packageName(folder: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name?: unknown };
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch {
    return undefined;
  }
}
