import { expect, it } from "vitest";
import { framesOf } from "../../src/inspector/local/rows.js";

const at = (functionName: string | undefined, line: number) => ({
  functionName,
  file: "a.ts",
  line,
  column: 1,
});
const frame = (fn: string, line: number) => ({ fn, file: "a.ts", line, column: 1 });

it("a task's async functions are a chain, outermost first", () => {
  const branches = [{ count: 1, frames: [at(undefined, 3), at("handle", 1)] }];
  expect(framesOf(branches)).toEqual([frame("handle", 1), { ...frame("(anonymous)", 3), children: [] }]);
});

it("what it awaits in parallel stands below the function that does", () => {
  const trunk = [at("handle", 2), at("main", 1)];
  const branches = [
    { count: 1, frames: [at("charge", 3), ...trunk] },
    { count: 40, frames: [at("pack", 4), ...trunk] },
  ];
  expect(framesOf(branches)).toEqual([
    frame("main", 1),
    {
      ...frame("handle", 2),
      children: [
        { ...frame("charge", 3), children: [] },
        { ...frame("pack", 4), children: [] },
      ],
    },
  ]);
});

it("where nothing is known there is nothing", () => {
  expect(framesOf([])).toEqual([]);
});
