import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as door from "../../src/checks.js";

const page = readFileSync(new URL("../../docs/diagnosis.md", import.meta.url), "utf8");

it("shows checks.test.ts, which is run beside this", () => {
  const code = readFileSync(new URL("./checks.test.ts", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, block]) => block);
  expect(blocks).toContain(
    code
      .replace('"../../src/index.js"', '"queuescope"')
      .replace('"../../src/checks.js"', '"queuescope/checks"'),
  );
});

describe("the table of thresholds", () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \| ([\d.]+) \|/gm)];
  const make = (check: string, threshold: string, value: number) =>
    (door as unknown as Record<string, (thresholds: object) => door.Check>)[check]!({ [threshold]: value });

  it("names every check, or the table of brokers' causes does", () => {
    const ofBrokers = page
      .slice(page.indexOf("Queues in brokers have causes"))
      .matchAll(/^\| `(\w+)` \| `[a-z-]+` \| /gm);
    const named = new Set([...rows, ...ofBrokers].map(([, check]) => check!));
    const checks = Object.entries(door).flatMap(([name, each]) => (typeof each === "function" ? [name] : []));
    expect([...named].sort()).toEqual(checks.sort());
  });

  it.each(rows.map(([, check, threshold, value]) => [check!, threshold!, Number(value)] as const))(
    "has a threshold of %s that exists, %s, with an allowed default",
    (check, threshold, value) => {
      expect(make(check, threshold, value).name).toMatch(/^[a-z-]+$/);
      expect(() => make(check, threshold, -1)).toThrow(`${threshold} must be `);
    },
  );
});
