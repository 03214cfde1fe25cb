import { InvalidOptionTypeError } from "../base/errors.js";
import { realNow } from "../base/real-time.js";
import { Pending } from "./sources/source.js";
import { currentTaskNotes, isRunning, type TaskNotes } from "./task-notes.js";
import type { Holder } from "./wait.js";

/** Of how many labels it is remembered which task got it last. */
const MAX_LABELS = 1_000;

/** By label, the task that got last what it waited for; the label that was got first comes first. */
const got = new Map<string, { readonly notes: WeakRef<TaskNotes>; readonly since: number }>();

function remember(label: string, notes: TaskNotes): void {
  got.delete(label);
  got.set(label, { notes: new WeakRef(notes), since: realNow() });
  if (got.size > MAX_LABELS) got.delete(got.keys().next().value!);
}

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

  /** The task that got it last, if that still runs: of a lock, it is the one that has it. */
  protected override holders(): readonly Holder[] | undefined {
    const last = got.get(this.name);
    const notes = last?.notes.deref();
    if (last === undefined || notes === undefined || notes === this.notes || !isRunning(notes))
      return undefined;
    return [{ correlationId: notes.task.correlationId, since: last.since }];
  }
}

/**
 * Labels what the current task waits for, as long as the promise is pending: a watchdog's report has at most 120 characters of the label.
 * Where tasks wait for the same label, it names the task that got it last, if that still runs: with a label for each lock, the one that
 * holds it. Settles as the promise does. Does nothing else outside of tasks, and while no watchdog runs. Rejects with an
 * `InvalidOptionTypeError` unless `label` is a string.
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
      remember(label, notes);
      return value;
    },
    (error: unknown) => {
      wait.end();
      throw error;
    },
  );
}
