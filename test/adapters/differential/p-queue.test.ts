import { afterAll, expect, it } from "vitest";
import { Accounts } from "./accounts.js";
import { compare, TIMEOUT } from "./differential.js";
import { pQueuePlay } from "./p-queue.js";

const accounts = new Accounts();
afterAll(() => accounts.stop());

// Some differences are known and not mended yet: when this fails, they are, and `fails` can go.
it.fails(
  "a wrapped queue of p-queue does what a bare one does, and the metrics add up",
  TIMEOUT,
  async () => {
    await expect(compare(pQueuePlay, accounts)).resolves.toBeUndefined();
  },
);
