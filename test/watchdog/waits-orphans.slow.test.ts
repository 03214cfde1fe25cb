import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";

const CHILD = fileURLToPath(new URL("waits/orphans-child.ts", import.meta.url));
type Verdicts = Record<string, "true" | "false" | "undefined">;
let before: Verdicts;
let after: Verdicts;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "--import", "tsx", CHILD]);
  ({ before, after } = JSON.parse(stdout));
});

function named(verdicts: Verdicts, kind: string): [string, string][] {
  return Object.entries(verdicts).filter(([name]) => name.startsWith(kind));
}

describe("whether a task can ever go on", () => {
  it("is not known before the collector has been through the heap", () => {
    expect(new Set(Object.values(before))).toEqual(new Set(["undefined"]));
  });

  it("is proven wrong for each whose promises have no holder any more", () => {
    const lost = named(after, "lost");
    expect(lost).toHaveLength(15);
    expect(lost.filter(([, verdict]) => verdict !== "true")).toEqual([]);
  });

  it("is never denied to one that something can still wake", () => {
    const healthy = named(after, "healthy");
    expect(healthy).toHaveLength(28);
    expect(healthy.filter(([, verdict]) => verdict === "true")).toEqual([]);
  });
});
