import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { CHECKS } from "../../src/watchdog/checks/index.js";
import { Example } from "./child.js";

const verdicts = CHECKS.filter(({ scope }) => scope !== "broker")
  .map(({ name }) => name)
  .sort();
const files = readdirSync(fileURLToPath(new URL("../../examples/stuck", import.meta.url))).sort();

it("there is an example of every verdict", () => {
  expect(files).toEqual(verdicts.map((verdict) => `${verdict}.ts`));
});

// One after the other: they are about time, and would be in each other's way.
it.each(verdicts)("%s is the first verdict of its example", async (verdict) => {
  const example = Example.run(`stuck/${verdict}.ts`);
  expect(await example.exited).toEqual({ code: 0, signal: null });
  expect(example.output).toMatch(/^BREACH queue=\w+ tier=\w+ (head waited|an item is not settled after) /m);
  expect(example.output).toMatch(new RegExp(`^WHY {2}${verdict} \\(`, "m"));
});
