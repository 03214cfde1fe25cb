import { expect, it } from "vitest";
import { Example } from "./child.js";

it("threads count primes for each caller, and a crash among them is the failure of its task only", async () => {
  const primes = Example.run("cpu-threads/main.ts");
  expect(await primes.exited).toEqual({ code: 0, signal: null });
  expect(primes.output).toBe(`request-of-ann: 17984 primes from 0 to 200000
request-of-bob: 15876 primes from 200000 to 400000
request-of-cem: ThreadCrashedError: the thread that worked on the task has ended: worker exited with code: 1
request-of-dee: 14853 primes from 600000 to 800000
Meanwhile the event loop kept turning.`);
});
