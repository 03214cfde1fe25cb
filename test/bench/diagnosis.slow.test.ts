import { execFile } from "node:child_process";
import { expect, it } from "vitest";

/** How bench:diagnosis ends, and what it says. */
function run(...args: string[]): Promise<{ code: number | undefined; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ["--import", "tsx", "bench/diagnosis/main.ts", ...args],
      (_, out, err) => resolve({ code: child.exitCode ?? undefined, said: out + err }),
    );
  });
}

it.each([
  ["a verdict that there is none of", ["--only", "typo"], /--only must be one of .*burst.*, not "typo"/],
  ["a number of runs that is none", ["--runs", "abc"], /--runs must be a whole number from 1, not "abc"/],
  ["no jobs at all", ["--jobs", "0"], /--jobs must be a whole number from 1, not "0"/],
  [
    "a cause that doesn't exist",
    ["--cause", "nothing like it"],
    /no cause has "nothing like it" in its name/,
  ],
])("bench:diagnosis refuses %s", async (_, args, said) => {
  const { code, said: words } = await run(...args);
  expect(words).toMatch(said);
  expect(code).toBe(1);
});
