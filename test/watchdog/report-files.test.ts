import fs from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { metricProducer } from "../../src/telemetry/metrics/metric-producer.js";
import type { WatchdogOptions } from "../../src/watchdog/options.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";

const REPORT = /^queuescope-\d{8}T\d{6}\.\d{3}Z-\d+-[\da-f]{8}-\d{6}-[\w.-]+\.json$/;
/** No process has it: it is larger than any that Linux gives. */
const DEAD = 2 ** 22 + 1;

let folder: string;
let queues = 0;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "reports-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

function writer(options: WatchdogOptions = {}) {
  const name = `filed-${queues++}`;
  const queue = instrument(new FifoQueue(), { name });
  const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, reportDir: folder, ...options });
  const errors: unknown[] = [];
  dog.on("error", (error) => errors.push(error)).watch(queue);
  return { dog, errors, name };
}

const reports = (at = folder) => fs.readdirSync(at).filter((file) => REPORT.test(file));
const touch = (name: string, text = "mine") => fs.writeFileSync(join(folder, name), text);
const theirs = (number: number, pid = DEAD, end = "json") =>
  `queuescope-20260101T000000.000Z-${pid}-0123abcd-${String(number).padStart(6, "0")}-orders.${end}`;

describe("the folder of reports", () => {
  it("keeps what is the user's, however it begins", () => {
    const mine = [
      "queuescope-notes.txt",
      "queuescope-config.json",
      "queuescope-20260101T000000.000Z.json",
      `queuescope-20260101T000000.000Z-${DEAD}-0123abcd-000001-orders.json.bak`,
      `x-${theirs(1)}`,
    ];
    for (const name of mine) touch(name);
    const { dog } = writer({ maxReports: 1 });
    for (let i = 0; i < 30; i++) dog.report();
    expect(reports()).toHaveLength(1);
    for (const name of mine) expect(fs.readFileSync(join(folder, name), "utf8")).toBe("mine");
  });

  it("is made with those above it; where it can't be, that is told, and nothing waits for it", () => {
    fs.writeFileSync(join(folder, "file"), "mine");
    fs.symlinkSync(join(folder, "nowhere"), join(folder, "dangling"));
    fs.symlinkSync(join(folder, "loop"), join(folder, "loop"));
    const deep = writer({ reportDir: join(folder, "a/b/c") });
    deep.dog.report();
    expect(reports(join(folder, "a/b/c"))).toHaveLength(1);
    expect(fs.statSync(join(folder, "a")).mode & 0o077).toBe(0);
    const missing = ["file", "file/below", "dangling", "loop", `${"x".repeat(300)}`].map((name) =>
      join(folder, name),
    );
    // There Node's recursive mkdir tries for ever.
    if (process.platform === "linux") missing.push("/proc/reports", "/proc/a/reports");
    for (const reportDir of missing) {
      const { dog, errors } = writer({ reportDir });
      dog.report();
      dog.report();
      expect(errors, reportDir).toMatchObject([{ code: expect.stringMatching(/^E[A-Z]+$/) }]);
    }
  });

  it("has to be absolute where the working directory is gone", () => {
    vi.spyOn(process, "cwd").mockImplementation(() => {
      throw new Error("ENOENT: no such file or directory, uv_cwd");
    });
    expect(() => writer({ reportDir: "reports" })).toThrow(/^reportDir must be an absolute path/);
    writer().dog.report();
    expect(reports()).toHaveLength(1);
  });

  it("stays within its limit beside a folder, a link and a pipe by such a name", () => {
    for (let i = 0; i < 12; i++) touch(theirs(i));
    fs.mkdirSync(join(folder, theirs(100)));
    fs.writeFileSync(join(folder, "..", "target-of-a-link"), "mine");
    fs.symlinkSync(join(folder, "..", "target-of-a-link"), join(folder, theirs(101)));
    const { dog, errors } = writer({ maxReports: 1 });
    for (let i = 0; i < 3; i++) dog.report();
    // Of those that have ended ten may stay; the folder and the link count, and stay.
    expect(fs.readdirSync(folder)).toContain(theirs(100));
    expect(fs.readdirSync(folder)).toContain(theirs(101));
    expect(fs.readFileSync(join(folder, "..", "target-of-a-link"), "utf8")).toBe("mine");
    fs.rmSync(join(folder, "..", "target-of-a-link"));
    expect(reports()).toHaveLength(1 + 10);
    expect(errors).toEqual([]);
  });

  it("is shared: no reports are removed for those of another process that runs", () => {
    const parent = process.ppid;
    for (let i = 0; i < 30; i++) touch(theirs(i, parent));
    touch(theirs(31, parent, "json.part"));
    const one = writer({ maxReports: 2 });
    const other = writer({ maxReports: 2 });
    for (let i = 0; i < 5; i++) {
      one.dog.report();
      other.dog.report();
    }
    const files = fs.readdirSync(folder);
    expect(files.filter((file) => file.includes(one.name))).toHaveLength(2);
    expect(files.filter((file) => file.includes(other.name))).toHaveLength(2);
    expect(files.filter((file) => file.includes(`-${parent}-`))).toHaveLength(31);
  });

  it("loses what a process that has ended did not finish", () => {
    touch(theirs(1, DEAD, "json.part"));
    writer().dog.report();
    expect(fs.readdirSync(folder)).toEqual([expect.stringMatching(REPORT)]);
  });

  it("is left clean by a disk that is full, which is told once, and counted", async () => {
    const { dog, errors, name } = writer();
    const full = vi.spyOn(fs, "writeFileSync").mockImplementation(() => {
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    });
    (await import("node:module")).syncBuiltinESMExports();
    dog.report();
    dog.report();
    full.mockRestore();
    (await import("node:module")).syncBuiltinESMExports();
    expect(fs.readdirSync(folder)).toEqual([]);
    expect(errors).toMatchObject([{ code: "ENOSPC" }]);
    dog.report();
    expect(reports()).toHaveLength(1);
    const { resourceMetrics } = await metricProducer().collect();
    const points = resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .find(({ descriptor }) => descriptor.name === "queue.telemetry.errors")!.dataPoints;
    expect(points.find(({ attributes }) => attributes["queue.name"] === name)?.value).toBe(2);
  });

  it("comes back when it was deleted, and only the owner may read it", () => {
    const { dog } = writer({ reportDir: join(folder, "in", "here") });
    dog.report();
    fs.rmSync(join(folder, "in"), { recursive: true });
    dog.report();
    const [file] = reports(join(folder, "in", "here"));
    expect(fs.statSync(join(folder, "in", "here")).mode & 0o777).toBe(0o700);
    expect(fs.statSync(join(folder, "in", "here", file!)).mode & 0o777).toBe(0o600);
  });

  it("stays where it was when the process goes elsewhere", () => {
    const { dog } = writer({ reportDir: relative(process.cwd(), folder) });
    const elsewhere = vi.spyOn(process, "cwd").mockReturnValue("/nowhere");
    dog.report();
    elsewhere.mockRestore();
    expect(reports()).toHaveLength(1);
  });

  it("has no path with a null in it", () => {
    expect(() => new Watchdog({ reportDir: "a\0b" })).toThrow("reportDir must be the path of a folder");
  });
});
