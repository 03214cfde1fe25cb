import { afterAll, expect, it } from "vitest";
import { Accounts } from "./accounts.js";
import { compare, TIMEOUT } from "./differential.js";
import { pQueuePlay } from "./p-queue.js";

const accounts = new Accounts();
afterAll(() => accounts.stop());

it("a wrapped queue of p-queue does what a bare one does, and the metrics add up", TIMEOUT, async () => {
  await expect(compare(pQueuePlay, accounts)).resolves.toBeUndefined();
});
