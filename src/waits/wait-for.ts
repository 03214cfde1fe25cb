import { InvalidOptionTypeError } from "../base/errors.js";
import { Pending } from "./pending.js";
import { currentSheet, type TaskNotes } from "./task-notes.js";

class LabelWait extends Pending {
  readonly kind = "label";

  constructor(
    sheet: TaskNotes,
    private readonly name: string,
  ) {
    super(sheet);
  }

  protected label(): string {
    return this.name;
  }
}

/**
 * Says what the current task waits for, for as long as the promise is pending: `await waitFor("lock on order 7", lock.acquire())`.
 * A watchdog's report names it, by 120 characters of the label at most. Settles as the promise does. Outside of any task, and while
 * no watchdog runs, it does nothing else. Rejects with an `InvalidOptionTypeError` unless `label` is a string.
 */
export function waitFor<R>(label: string, promise: PromiseLike<R> | R): Promise<Awaited<R>> {
  if (typeof label !== "string") {
    return Promise.reject(new InvalidOptionTypeError("label", label, "a string"));
  }
  const settled = Promise.resolve(promise) as Promise<Awaited<R>>;
  const sheet = currentSheet();
  if (sheet === undefined) return settled;
  const wait = new LabelWait(sheet, label);
  return settled.then(
    (value) => {
      wait.end();
      return value;
    },
    (error: unknown) => {
      wait.end();
      throw error;
    },
  );
}
