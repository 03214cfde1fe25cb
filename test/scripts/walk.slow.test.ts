import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { LIMITS } from "../../scripts/walk/limits.js";
import type { Walk } from "../../scripts/walk/walk.js";

const run = promisify(execFile);
const walk = (...args: string[]) =>
  run(process.execPath, ["--import", "tsx", "scripts/walk/main.ts", ...args]);

let found: { item: Walk; breach: Walk };

beforeAll(async () => {
  found = JSON.parse((await walk("--json")).stdout);
});

it("an item's way begins where it is put, and passes queue, pool and telemetry", () => {
  const { files } = found.item;
  expect(files[0]!.file).toMatch(/^queue\//);
  expect(files[0]!.functions[0]!.name).toBe("put");
  const rooms = files.map(({ file }) => file.split("/")[0]);
  expect(rooms).toEqual(expect.arrayContaining(["queue", "worker", "telemetry"]));
});

it("an item's way is no longer than its limits", () => {
  expect(found.item.files.length).toBeLessThanOrEqual(LIMITS.item.files.limit);
  expect(found.item.functions).toBeLessThanOrEqual(LIMITS.item.functions.limit);
});

it("a breach's way leads over its report, and is no longer than its limit", () => {
  const files = found.breach.files.map(({ file }) => file);
  expect(files).toContain("watchdog/report/report.ts");
  expect(files.length).toBeLessThanOrEqual(LIMITS.breach.files.limit);
});

it("people read files, functions, calls and goals", async () => {
  const { stdout } = await walk();
  expect(stdout).toMatch(/^item: \d+ files, \d+ functions, \d+ calls; breach: \d+ files$/m);
  expect(stdout).toMatch(/^goals: 12 files, 50 functions; breach: 25 files/m);
});
