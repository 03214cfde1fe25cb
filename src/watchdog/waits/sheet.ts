import type { TaskFacts } from "../../contracts.js";
import { LinkedList } from "../../linked-list.js";
import { correlation } from "./correlation.js";
import type { OpenWait } from "./wait.js";

/** The key of a task's sheet. Two copies of this library, one of which looks on, must find it. */
const SHEET: unique symbol = Symbol.for("queuescope.sheet") as never;

/** What is noted about a task while somebody looks on. It must not hold the token once that is {@link release}d. */
export class Sheet {
  readonly pending = new LinkedList<OpenWait>();
  /** Where the item was put, if that was sampled. */
  putAt: Error | undefined = undefined;
  /** Keeps the token alive until somebody wants to know whether anything else does. */
  token: Token | undefined = undefined;
  /** The handler is over, or never had a promise that could tell. */
  isSettled = false;
  /** Nothing holds the task's context any more. */
  isOrphan = false;
  /** How many garbage collections had been seen when the token was let go. */
  releasedAt: number | undefined = undefined;
}

/**
 * Stands for a task in its async context, and is held by nothing else: when it is collected, nothing is left that could go on
 * in that context. The task itself is in lists of ours for as long as it is in flight.
 */
export class Token implements TaskFacts {
  constructor(
    private readonly task: TaskFacts,
    readonly sheet: Sheet,
  ) {}

  get tier(): string {
    return this.task.tier;
  }

  get attempt(): number {
    return this.task.attempt;
  }

  get waitMs(): number | undefined {
    return this.task.waitMs;
  }

  get correlationId(): string {
    return this.task.correlationId;
  }
}

/** A new sheet for the task. */
export function openSheet(task: TaskFacts): Token {
  const sheet = new Sheet();
  const token = new Token(task, sheet);
  sheet.token = token;
  // A property: a WeakMap would cost five times as much for each task.
  (task as { [SHEET]?: Sheet })[SHEET] = sheet;
  return token;
}

/** Undefined if nobody looked on when the task began. */
export function sheetOf(task: object): Sheet | undefined {
  return (task as { [SHEET]?: Sheet })[SHEET];
}

/** The sheet of the task whose code runs now. */
export function currentSheet(): Sheet | undefined {
  return correlation.getStore()?.sheet as Sheet | undefined;
}
