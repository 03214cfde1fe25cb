import { afterAll, expect, it } from "vitest";
import { Accounts } from "./accounts.js";
import { compare, TIMEOUT } from "./differential.js";
import { fastqPlay } from "./fastq.js";

const accounts = new Accounts(({ wrapsWorker }) => !wrapsWorker);
afterAll(() => accounts.stop());

it("a wrapped queue of fastq does what a bare one does, and the metrics add up", TIMEOUT, async () => {
  await expect(compare(fastqPlay, accounts)).resolves.toBeUndefined();
});
