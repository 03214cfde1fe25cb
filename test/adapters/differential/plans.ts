import fc from "fast-check";
import type { Session } from "./session.js";

/** How a task of the user's goes about its work. */
export interface Plan {
  readonly how: (typeof RETURNING)[number] | (typeof CALLING)[number];
  readonly ms: number;
}

const RETURNING = [
  "value",
  "throw",
  "resolve",
  "reject",
  "later",
  "fail later",
  "open",
  "thenable",
  "cancelable",
  "own promise",
] as const;

const CALLING = [
  "call",
  "call with error",
  "call with results",
  "call with oddity",
  "call later",
  "call later with error",
  "call when asked",
  "call, then throw",
] as const;

const ms = fc.integer({ min: 1, max: 9 });

/** For functions that return a value or a promise. */
export const returningPlan: fc.Arbitrary<Plan> = fc.record({ how: fc.constantFrom(...RETURNING), ms });

/** For workers that get a callback: now and then they return something, unasked. */
export const callingPlan: fc.Arbitrary<Plan> = fc.record({
  how: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...CALLING) },
    { weight: 1, arbitrary: fc.constantFrom("throw" as const, "reject" as const, "later" as const) },
  ),
  ms,
});

/** A promise of a class of the user's own: who calls `then` on it is seen. */
class OwnPromise<T> extends Promise<T> {
  static override get [Symbol.species]() {
    return Promise;
  }
}

/** What the task returns, be it a promise or not; or it throws. */
export function carryOut(plan: Plan, session: Session<never>): unknown {
  const { transcript } = session;
  const result = transcript.name({}, "result");
  switch (plan.how) {
    case "value":
      return result;
    case "throw":
      throw transcript.error();
    case "resolve":
      return Promise.resolve(result);
    case "reject":
      return Promise.reject(transcript.error());
    case "later":
      return session.after(plan.ms, result);
    case "fail later":
      return session.after(plan.ms, undefined, transcript.error());
    case "open":
      return new Promise((resolve) => session.open.push(() => resolve(result)));
    case "thenable":
      return {
        // biome-ignore lint/suspicious/noThenProperty: how often it is called is what we want to see
        then(resolve: (value: unknown) => void) {
          transcript.note("a thenable is awaited");
          resolve(result);
        },
      };
    case "cancelable":
      return Object.assign(session.after(plan.ms, result), {
        cancel: () => transcript.note("a promise is cancelled"),
      });
    case "own promise": {
      const own = OwnPromise.resolve(result);
      // biome-ignore lint/suspicious/noThenProperty: as above
      own.then = function (this: unknown, ...args) {
        transcript.note("an own promise is awaited");
        return Promise.prototype.then.apply(this, args) as never;
      };
      return own;
    }
  }
  return undefined;
}

/** The same for a worker that tells its end to a callback. */
export function carryOutCalling(
  plan: Plan,
  session: Session<never>,
  done: (...args: unknown[]) => unknown,
): unknown {
  const { transcript } = session;
  const tell = (...args: unknown[]) => {
    transcript.note(`the worker's callback is called with ${transcript.words(args)}`);
    transcript.note(`the worker's callback returned ${transcript.words(done(...args))}`);
  };
  const result = transcript.name({}, "result");
  switch (plan.how) {
    case "call":
      return tell(null, result);
    case "call with error":
      return tell(transcript.error());
    case "call with results":
      return tell(null, result, plan.ms, "more");
    case "call with oddity":
      return tell(
        ...([[], [0], ["failed"], [undefined, null], [false, result], [{ code: 7 }]][plan.ms % 6] ?? []),
      );
    case "call later":
      setTimeout(tell, plan.ms, null, result);
      return;
    case "call later with error":
      setTimeout(tell, plan.ms, transcript.error(), result);
      return;
    case "call when asked":
      session.open.push(() => tell(null, result));
      return;
    case "call, then throw":
      tell(undefined, result);
      throw transcript.error();
    default:
      return carryOut(plan, session);
  }
}
