import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { TaskGroupReport } from "../../src/watchdog/report/groups.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { Child } from "./stall/child.js";

const PROGRAM = "test/watchdog/deep/stuck.ts";
const lines = readFileSync(PROGRAM, "utf8").split("\n");
const lineOf = (name: string) => lines.findIndex((line) => line.endsWith(`// at:${name}`)) + 1;
const place = `lockShelf stuck.ts:${lineOf("lockShelf")} < handle stuck.ts:${lineOf("handle")}`;

// Any port of the inspector does, as several run at a time.
const run = (...args: string[]) => Child.run(["--inspect-port=0", "--import", "tsx", PROGRAM, ...args]);

it("a deep report says at which line each task stands, of a process that was not prepared", async () => {
  const child = run();
  expect(await child.over).toBe(0);
  const [groups] = child.out.filter((line) => line.startsWith("[")).map((line) => JSON.parse(line));
  const [group] = groups as TaskGroupReport[];
  expect(group!.tasks.map(({ correlationId }) => correlationId).sort()).toEqual(["a", "b", "c"]);
  expect(group!.branches).toEqual([
    {
      count: 1,
      frames: [
        expect.objectContaining({ functionName: "lockShelf", line: lineOf("lockShelf") }),
        expect.objectContaining({ functionName: "handle", line: lineOf("handle") }),
      ],
    },
  ]);
  expect(child.out.join("\n")).toContain(`3x ${place}, wait unknown`);
  expect(child.err.join("\n")).toMatch(
    /^queuescope: process \d+ has \d+ MB of heap: it will stand still for/m,
  );
});

it("so do those that a signal asks for, where that is wanted", async () => {
  const child = run("signal");
  await child.line(/^ready/);
  child.process.kill("SIGUSR2");
  await child.line(new RegExp(`3x ${place.replaceAll(/[.<]/g, "\\$&")}`));
  child.process.kill();
  await child.over;
});

it("refuses what is no option", () => {
  const watchdog = new Watchdog();
  expect(() => watchdog.report({ depth: true } as never)).toThrow("there are deep, force");
  expect(() => new Watchdog({ deep: "yes" as never })).toThrow("deep must be true or false");
});
