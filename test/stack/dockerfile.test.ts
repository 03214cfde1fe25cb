import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { inRepository } from "../../scripts/stack/repository.js";
import { listens } from "./compose.js";

const dockerfile = readFileSync(inRepository("examples/order-service/Dockerfile"), "utf8");
const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, sources]) => sources!.split(" "));
const letIn = readFileSync(inRepository(".dockerignore"), "utf8")
  .split("\n")
  .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));

it("What the demo's image copies is there, and is let in", () => {
  expect(copied.length).toBeGreaterThan(0);
  for (const path of copied) expect(existsSync(inRepository(path)), path).toBe(true);
  expect(letIn.sort()).toEqual(copied.sort());
});

it("The demo's image starts the demo, as a user who isn't root", () => {
  const [, program] = /^ENTRYPOINT .*"(\S+\.ts)"\]$/m.exec(dockerfile)!;
  expect(copied.some((path) => program!.startsWith(`${path}/`))).toBe(true);
  expect(/^USER (\S+)$/m.exec(dockerfile)?.[1]).toBe("node");
});

it("The demo's image says on which ports it listens", () => {
  const [, ports] = /^EXPOSE (.+)$/m.exec(dockerfile)!;
  expect(ports!.split(" ").map(Number)).toEqual(listens.demo);
});

it("The demo's image has the Node that the package asks for", () => {
  const { engines } = JSON.parse(readFileSync(inRepository("package.json"), "utf8"));
  const [, major, minor] = /^FROM node:(\d+)\.(\d+)\./m.exec(dockerfile)!;
  const [, leastMajor, leastMinor] = /^>=(\d+)\.(\d+)$/.exec(engines.node)!;
  expect(major).toBe(leastMajor);
  expect(Number(minor)).toBeGreaterThanOrEqual(Number(leastMinor));
});
