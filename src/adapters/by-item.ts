import type { Task } from "./task.js";

/** Tasks of one item, in order of arrival; those before `head` are gone. */
class Chain<T> {
  head = 0;
  constructor(readonly tasks: T[]) {}
}

/**
 * Finds what belongs to an item where a queue gives back nothing but items: by identity, and where the same item is in there more
 * than once, in order of arrival. O(1), amortised.
 */
export class ByItem<T extends Task = Task> {
  private readonly tasks = new Map<unknown, T | Chain<T>>();

  /** A task that `isHere` denies is forgotten by and by. */
  constructor(private readonly isHere: (task: T) => boolean) {}

  add(task: T): void {
    const found = this.tasks.get(task.item);
    if (found === undefined) this.tasks.set(task.item, task);
    else if (found instanceof Chain) found.tasks.push(task);
    else this.tasks.set(task.item, new Chain([found, task]));
  }

  /** The task of the item that came first, of those that are here. */
  find(item: unknown): T | undefined {
    const found = this.tasks.get(item);
    if (found instanceof Chain) {
      for (; found.head < found.tasks.length; found.head++) {
        const task = found.tasks[found.head]!;
        if (this.isHere(task)) {
          // Amortised: what is moved is no more than what went before.
          if (found.head > found.tasks.length / 2) {
            found.tasks.splice(0, found.head);
            found.head = 0;
          }
          return task;
        }
      }
    } else if (found !== undefined && this.isHere(found)) return found;
    this.tasks.delete(item);
    return undefined;
  }
}
