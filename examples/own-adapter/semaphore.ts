import type { Semaphore } from "async-mutex";
import { type Adapter, Ledger, patch, whenOver } from "queuescope/adapter";

/** For semaphores of async-mutex: a put is a call of `runExclusive`, and its callback is the task. */
export const semaphore: Adapter<Semaphore> = {
  system: "async-mutex",
  priorities: true, // each priority that comes up becomes a tier
  tiersOf: () => ["default"], // priority 0
  attach(queue, telemetry) {
    const ledger = new Ledger(telemetry);
    const restore = patch(queue, {
      runExclusive: (original) =>
        function (callback, ...rest) {
          const [weight = 1, priority = 0] = rest;
          // After detach this method may still be held elsewhere. And what async-mutex refuses fails in its own words.
          const isOurs = ledger.isOpen && typeof callback === "function" && weight > 0;
          if (!isOurs) return original.call(this, callback, ...rest);

          const task = ledger.enter(callback, ledger.tierOf(priority)); // begins, in the caller's context
          const over = (failure?: { readonly error: unknown }) => ledger.settle(task, failure);
          const handler = (value: number) => {
            if (!ledger.isOpen) return callback(value);
            ledger.take(task);
            try {
              const result = ledger.run(task, () => callback(value)); // in the context of its put
              return whenOver(result, over);
            } catch (error) {
              over({ error });
              throw error;
            }
          };
          const promise: Promise<unknown> = original.call(this, handler, ...rest);
          ledger.entered(task); // async-mutex never refuses it from here on
          return promise.catch((error) => {
            // `cancel` was called, if the task still waits. One that was taken is over, and stays so.
            ledger.drop(task, "shutdown");
            throw error;
          });
        },
    });
    return {
      tells: ["takes", "outcomes", "durations", "shutdown"],
      probe: ledger.probe({
        size: () => ledger.size, // the semaphore itself doesn't say
        running: () => ledger.running.size,
        head: () => ledger.mostUrgent((one, other) => one > other),
      }),
      detach() {
        ledger.close();
        restore();
      },
    };
  },
};
