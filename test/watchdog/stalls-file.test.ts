import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { shown } from "../../src/base/shown.js";
import { makeStallLog } from "../../src/stall-monitor/thread/stall-log.js";

let folder: string;
let file: string;
let faults: unknown[];
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "stalls-"));
  file = join(folder, "stalls.jsonl");
  faults = [];
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const outlet = () => {
  const own = makeStallLog(fs, { print: false, reportDir: folder, ours: [] }, shown, (error) =>
    faults.push(error),
  );
  const breach = {
    head: 1,
    queue: "q\nFORGED",
    tier: "t",
    ageMs: 1,
    slaMs: 1,
    blockedMs: 1,
    at: 1,
    seenAgoMs: 1,
  };
  return { write: () => own.breach(breach) };
};
const lines = (path = file) => fs.readFileSync(path, "utf8").trim().split("\n");

describe("stalls.jsonl", () => {
  it("is a line for each, that only the owner may read", () => {
    const { write } = outlet();
    write();
    write();
    expect(lines().map((line) => JSON.parse(line).queue)).toEqual(["q\nFORGED", "q\nFORGED"]);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  });

  it("becomes so where it was made for all", () => {
    fs.writeFileSync(file, "", { mode: 0o644 });
    fs.chmodSync(file, 0o644);
    outlet().write();
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is not written through a link, which is told once", () => {
    const target = join(folder, "target");
    fs.writeFileSync(target, "mine");
    fs.symlinkSync(target, file);
    const { write } = outlet();
    write();
    write();
    expect(fs.readFileSync(target, "utf8")).toBe("mine");
    expect(faults).toMatchObject([{ code: "ELOOP" }]);
    fs.unlinkSync(file);
    write();
    expect(lines()).toHaveLength(1);
  });

  it("is no folder", () => {
    fs.mkdirSync(file);
    outlet().write();
    expect(faults).toHaveLength(1);
  });

  it("gives way to the next when it is long, and replaces a link by that", () => {
    fs.writeFileSync(file, `${"x".repeat(1_000_001)}\n`);
    fs.writeFileSync(join(folder, "target"), "mine");
    fs.symlinkSync(join(folder, "target"), join(folder, "stalls.previous.jsonl"));
    outlet().write();
    expect(lines()).toHaveLength(1);
    expect(fs.readFileSync(join(folder, "target"), "utf8")).toBe("mine");
    expect(fs.statSync(join(folder, "stalls.previous.jsonl")).size).toBe(1_000_002);
    expect(faults).toEqual([]);
  });

  it("comes back with its folder when that was deleted", () => {
    const { write } = outlet();
    write();
    fs.rmSync(folder, { recursive: true });
    write();
    expect(lines()).toHaveLength(1);
    expect(faults).toEqual([]);
  });
});
