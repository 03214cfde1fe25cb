import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { randomId } from "../../base/random-id.js";
import type { BreachReport } from "./report.js";

/** The names of all files of ours: when, of which process, by which writer, its number, and of which queue. Nothing else is touched. */
const NAME = /^queuescope-\d{8}T\d{6}\.\d{3}Z-(\d+)-([\da-f]{8})-\d{6,}-[\w.-]{0,60}\.json(\.part)?$/;
/** How many times `maxReports` are left of processes that have ended. */
const OTHERS = 10;
/** A report of more characters is written without indents, which would take as much again. */
const LONG = 200_000;
/** Not through a link, and only where there is nothing yet. */
const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/**
 * A folder with the latest reports: each file is there whole or not at all, and of each writer there are never more than so many. They are
 * rare and small, and a listener may end the process: so it is written, synchronously, before listeners are called. Several processes can share it.
 */
export class ReportFiles {
  private readonly writer = randomId().slice(0, 8);
  private written = 0;
  /** The oldest first. */
  private own: string[] = [];

  constructor(
    private readonly folder: string,
    private readonly maxReports: number,
  ) {}

  /** Throws the file system's error; then nothing is left of the report. */
  write(report: BreachReport): void {
    // It may have been deleted since.
    makeFolder(this.folder);
    if (this.written % this.maxReports === 0) this.removeOthers();
    // Sorted by name they are sorted by time.
    const when = new Date(report.at).toISOString().replaceAll(/[-:]/g, "");
    const queue = report.queue.replaceAll(/[^\w.-]/g, "_").slice(0, 60);
    const number = String(++this.written).padStart(6, "0");
    const name = `queuescope-${when}-${process.pid}-${this.writer}-${number}-${queue}.json`;
    this.create(name, textOf(report));
    this.own.push(name);
    for (const oldest of this.own.splice(0, Math.max(0, this.own.length - this.maxReports)))
      this.remove(oldest);
  }

  private create(name: string, text: string): void {
    const part = join(this.folder, `${name}.part`);
    const file = openSync(part, NEW, 0o600);
    try {
      try {
        writeFileSync(file, text);
      } finally {
        closeSync(file);
      }
      renameSync(part, join(this.folder, name));
    } catch (error) {
      this.remove(`${name}.part`);
      throw error;
    }
  }

  /** What processes have left that have ended: reports that are too many, and those that they did not finish. */
  private removeOthers(): void {
    const left: string[] = [];
    for (const file of readdirSync(this.folder)) {
      const [, pid, writer, part] = NAME.exec(file) ?? [];
      if (pid === undefined || writer === this.writer || isRunning(Number(pid))) continue;
      if (part === undefined) left.push(file);
      else this.remove(file);
    }
    left.sort();
    for (const file of left.slice(0, Math.max(0, left.length - OTHERS * this.maxReports))) this.remove(file);
  }

  /** Removes a file, where that is possible. */
  private remove(name: string): void {
    const path = join(this.folder, name);
    try {
      if (lstatSync(path).isFile()) unlinkSync(path);
    } catch {
      // Another process was faster, or the permission is missing.
    }
  }
}

/** Another process of that number. Our own number may have been that of one that has ended, where a container starts anew. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function textOf(report: BreachReport): string {
  const text = JSON.stringify(report);
  return `${text.length > LONG ? text : JSON.stringify(report, undefined, 2)}\n`;
}

/**
 * Makes a folder, and those above it that are missing. Not by Node's `recursive`, which tries for ever where a folder can't be made
 * though the one above it is there, as in `/proc`. Throws the file system's error.
 */
export function makeFolder(path: string): void {
  const error = failureOf(path);
  if (error === undefined) return;
  const above = dirname(path);
  if (error.code !== "ENOENT" || above === path || isFolder(above)) throw error;
  makeFolder(above);
  const again = failureOf(path);
  if (again !== undefined) throw again;
}

/** Why it is not there now. Another process may make it at the same time. */
function failureOf(path: string): NodeJS.ErrnoException | undefined {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!isFolder(path)) return error as NodeJS.ErrnoException;
  }
  return undefined;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
