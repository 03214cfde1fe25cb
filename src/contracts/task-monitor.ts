import type { Carrier, TaskFacts } from "./observer.js";

/** Something of ours that is limited, and that tasks wait for. Read for reports only. */
export interface LimitedResource {
  readonly kind: "gate" | "queue";
  /** The gate, or the queue. */
  readonly of: object;
  readonly label: string;
  /** Whether something is amiss with it, in words. */
  state(): string | undefined;
  use(): {
    readonly inUse: number | undefined;
    readonly idle: number | undefined;
    readonly waiting: number | undefined;
    readonly limit: number | undefined;
  };
}

/** Looks on while tasks run, to be able to say what each of them waits for. Returns at once, and never throws. */
export interface TaskMonitor {
  /** Something is put: what is to be remembered of the place, if anything. */
  put(): object | undefined;
  /** The place travels with this carrier, which no other item has. */
  remember(carrier: object, place: object): void;
  /** A task's handler is to be called: what is to stand for the task in the correlation store, with the same facts. */
  begin(task: TaskFacts, carrier: Carrier): TaskFacts;
  /** The handler has returned, and this is still its context. */
  returned(store: TaskFacts, result: unknown): void;
  /** The handler has thrown, and returned nothing. */
  threw(store: TaskFacts, error: unknown): void;
  spanStarted(span: object): void;
  spanEnded(span: object): void;
  /** The task in whose context this is called waits for the resource, until the wait ends. Undefined outside of tasks; absent in older copies. */
  waits?(resource: LimitedResource): { end(): void } | undefined;
  /** That task, or the one that is given, has the resource until this ends. Undefined outside of tasks; absent in older copies. */
  has?(resource: object, task?: object): { end(): void } | undefined;
}

/** Who looks on. One at a time, and only while there is a watchdog. */
export interface ActiveTaskMonitor {
  current: TaskMonitor | undefined;
  users: number;
  end: (() => void) | undefined;
}
