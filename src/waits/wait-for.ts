import { InvalidOptionTypeError } from "../base/errors.js";
import { Pending } from "./sources/source.js";
import { currentTaskNotes, type TaskNotes } from "./task-notes.js";

class LabelWait extends Pending {
  readonly kind = "label";

  constructor(
    notes: TaskNotes,
    private readonly name: string,
  ) {
    super(notes);
  }

  protected label(): string {
    return this.name;
  }
}

/**
 * Labels what the current task waits for, as long as the promise is pending: a watchdog's report has at most 120 characters of the label.
 * Settles as the promise does. Does nothing else outside of tasks, and while no watchdog runs. Rejects with an `InvalidOptionTypeError`
 * unless `label` is a string.
 *
 * @example
 * const lock = Promise.resolve("lock");
 * await waitFor("lock on order 7", lock);
 */
export function waitFor<R>(label: string, promise: PromiseLike<R> | R): Promise<Awaited<R>> {
  if (typeof label !== "string") {
    return Promise.reject(new InvalidOptionTypeError("label", label, "a string"));
  }
  const settled = Promise.resolve(promise) as Promise<Awaited<R>>;
  const notes = currentTaskNotes();
  if (notes === undefined) return settled;
  const wait = new LabelWait(notes, label);
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
