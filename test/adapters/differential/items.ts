import fc from "fast-check";
import type { Session } from "./session.js";

/** What the user puts: most often an object of its own, now and then the same thing as before. */
export const item = fc.oneof(
  { weight: 6, arbitrary: fc.constant("an own object" as const) },
  { weight: 2, arbitrary: fc.constant("the shared object" as const) },
  { weight: 3, arbitrary: fc.constantFrom(1, 1, 0, "a", "a", "", null, undefined, Number.NaN, true) },
);
export type Item = typeof item extends fc.Arbitrary<infer I> ? I : never;

/** What stands in the place of a callback. */
export const callback = fc.oneof(
  { weight: 5, arbitrary: fc.constant("absent" as const) },
  { weight: 6, arbitrary: fc.constant("an own function" as const) },
  { weight: 2, arbitrary: fc.constant("the shared function" as const) },
  { weight: 1, arbitrary: fc.constantFrom(undefined, null, 5) },
);
export type Callback = typeof callback extends fc.Arbitrary<infer C> ? C : never;

/** The user's things on one side. */
export class Things {
  private readonly sharedObject: object;
  private readonly sharedFunction: () => void;

  /** `seen`: what is to be noted of the object on which a function is called. */
  constructor(
    private readonly session: Session<never>,
    private readonly seen: (self: unknown) => unknown = (self) => self,
  ) {
    this.sharedObject = session.transcript.name({ shared: true }, "shared object");
    this.sharedFunction = this.function("shared function");
  }

  item(item: Item): unknown {
    if (item === "an own object") return this.session.transcript.name({ own: true }, "item");
    return item === "the shared object" ? this.sharedObject : item;
  }

  /** Nothing at all, or what stands in the place of the callback. */
  callback(callback: Callback): unknown[] {
    if (callback === "absent") return [];
    if (callback === "an own function") return [this.function("callback")];
    return callback === "the shared function" ? [this.sharedFunction] : [callback];
  }

  /** A function of the user's: it notes its arguments, and may call the queue or throw. */
  function(kind: string, result?: unknown): () => unknown {
    const { session, seen } = this;
    const { transcript } = session;
    const own = function (this: unknown, ...args: unknown[]) {
      transcript.note(
        `${transcript.words(own)} gets ${transcript.words(args)} on ${transcript.words(seen(this))}`,
      );
      session.reenter();
      return result;
    };
    return transcript.name(own, kind);
  }
}
