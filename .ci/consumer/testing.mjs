import { it } from "node:test";
import { Ledger, patch } from "queuescope/adapter";
import { adapterConformance } from "queuescope/testing";

/** A stack that is pulled from. */
class Stack {
  #items = [];
  push(task) {
    this.#items.push(task);
  }
  pop() {
    return this.#items.pop();
  }
  get size() {
    return this.#items.length;
  }
}

const adapter = {
  system: "stack",
  tiersOf: () => ["default"],
  attach(stack, telemetry) {
    const ledger = new Ledger(telemetry);
    const tasks = new Map();
    const restore = patch(stack, {
      push: (original) =>
        function (item) {
          const task = ledger.enter(item);
          tasks.set(item, [...(tasks.get(item) ?? []), task]);
          original.call(this, item);
          ledger.entered(task);
        },
      pop: (original) =>
        function () {
          const item = original.call(this);
          const task = tasks.get(item)?.shift();
          if (task !== undefined) {
            ledger.take(task);
            ledger.forget(task);
          }
          return item;
        },
    });
    const probe = ledger.probe({ size: () => stack.size, running: () => undefined });
    return { probe, tells: ["takes"], detach: restore };
  },
};

const cases = adapterConformance({
  adapter,
  tells: ["takes"],
  handlers: "out-of-context",
  make: () => new Stack(),
  put: (stack, item) => stack.push(item),
  consume: async (stack, handle) => handle(stack.pop()),
});
for (const { name, run } of cases) it(name, run);
