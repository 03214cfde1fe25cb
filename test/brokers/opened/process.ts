import { brokerQueue, WorkerPool } from "../../../src/index.js";
import { serve } from "../bullmq/child.js";
import { adapterOf } from "./recipes.js";
import type { Recipe } from "./suite.js";

/** A process that takes tasks, and never ends them. */
const taken: unknown[] = [];
let isTaken = () => {};
const first = new Promise<void>((resolve) => {
  isTaken = resolve;
});

const actions = {
  async open(recipe: Recipe, queue: string): Promise<void> {
    const orders = await brokerQueue(adapterOf(recipe), queue, { poll: false });
    new WorkerPool(orders, (order, { attempt }) => {
      taken.push([order, attempt]);
      isTaken();
      return new Promise(() => {});
    });
  },
  async taken(): Promise<unknown[]> {
    await first;
    return taken;
  },
};

export type Actions = typeof actions;

serve(actions);
