import { afterAll, expect, it } from "vitest";
import { Accounts } from "./accounts.js";
import { asyncPlay } from "./async.js";
import { compare, TIMEOUT } from "./differential.js";

const accounts = new Accounts();
afterAll(() => accounts.stop());

it("a wrapped queue of async does what a bare one does, and the metrics add up", TIMEOUT, async () => {
  await expect(compare(asyncPlay, accounts)).resolves.toBeUndefined();
});
