import type { Task } from "../../src/worker/task.js";
import { turns } from "../../src/worker/turns.js";

/** A call of a handler that goes on until the test ends it. */
export interface Call<T> {
  readonly item: T;
  readonly task: Task;
  done(value?: unknown): void;
  fail(error: unknown): void;
}

/** A handler whose calls end when the test says so. */
export class ByHand<T> {
  /** All calls so far, in order. */
  readonly calls: Call<T>[] = [];
  /** Those that go on. */
  readonly open = new Set<Call<T>>();
  /** Most that went on at a time. */
  most = 0;

  readonly handler = (item: T, task: Task): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const call: Call<T> = {
        item,
        task,
        done: (value) => this.end(call, () => resolve(value)),
        fail: (error) => this.end(call, () => reject(error)),
      };
      this.calls.push(call);
      this.open.add(call);
      this.most = Math.max(this.most, this.open.size);
    });

  get items(): T[] {
    return this.calls.map(({ item }) => item);
  }

  /** The open call with that item. */
  of(item: T): Call<T> {
    for (const call of this.open) if (call.item === item) return call;
    throw new Error(`nobody handles ${item}; open are ${[...this.open].map((call) => call.item)}`);
  }

  private end(call: Call<T>, settle: () => void): void {
    this.open.delete(call);
    settle();
  }
}

/** Everything that can happen without time passing has happened, also where a pool waits for the loop to turn, as it may on a slow machine. */
export async function settled(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (turns.isDue);
}
