import fc from "fast-check";
import { callingPlan, carryOut, carryOutCalling, type Plan, returningPlan } from "./plans.js";
import type { Session } from "./session.js";

/** Workers that are fixed when the queue is made; they take one plan after the other. */
export const calling = fc.record({
  style: fc.constant("with a callback" as const),
  plans: fc.array(callingPlan, { minLength: 1 }),
});
export const returning = fc.record({
  style: fc.constantFrom("returning" as const, "an async function" as const),
  plans: fc.array(returningPlan, { minLength: 1 }),
});

export interface WorkerPlan {
  readonly style: "with a callback" | "returning" | "an async function";
  readonly plans: readonly Plan[];
}

export function workerOf({ style, plans }: WorkerPlan, session: Session<never>) {
  const { transcript } = session;
  let starts = 0;
  const start = (self: unknown, args: readonly unknown[]): Plan => {
    transcript.note(`a task starts with ${transcript.words(args)} on ${transcript.words(self)}`);
    session.reenter();
    return plans[starts++ % plans.length]!;
  };
  if (style === "with a callback") {
    return function work(this: unknown, item: unknown, done: () => unknown, ...more: unknown[]): unknown {
      return carryOutCalling(start(this, [item, done, ...more]), session, done);
    };
  }
  if (style === "returning") {
    return function work(this: unknown, ...args: unknown[]): unknown {
      return carryOut(start(this, args), session);
    };
  }
  return async function work(this: unknown, item: unknown, ...more: unknown[]): Promise<unknown> {
    return carryOut(start(this, [item, ...more]), session);
  };
}
