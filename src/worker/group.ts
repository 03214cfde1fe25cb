import { setMaxListeners } from "node:events";
import { type Abortable, signals } from "../base/abort-signals.js";
import { checkKnown, checkObject, requireFunction } from "../base/checks.js";
import { isErrorNamed } from "../base/error-text.js";
import { GroupEndedError } from "../base/errors.js";

/** Options of a group. Only `undefined` stands for the default. */
export interface GroupOptions {
  /** When it is aborted, so is the group, which then rejects with its reason. A group within a task of another takes that one's signal. */
  signal?: AbortSignal | undefined;
}

/** What the tasks of a group are given. */
export interface GroupTask {
  /** The group's. */
  readonly signal: AbortSignal;
}

/** Tasks that begin and end together; made by {@link runGroup}. */
export class Group {
  private readonly controller = new AbortController();
  private readonly failures: unknown[] = [];
  private open = 0;
  private isOver = false;
  private whenEmpty: (() => void) | undefined = undefined;

  /** Aborted by the first failure, with that error as its reason, or by the signal from outside. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** @internal */
  constructor() {
    // Each task may listen.
    setMaxListeners(0, this.signal);
  }

  /**
   * Starts a task: calls `fn` at once, and returns a promise of what it gives. The promise needn't be awaited; if the task fails, the
   * group does. In a group that is aborted already, `fn` isn't called, and the promise rejects with the signal's reason. Throws
   * `GroupEndedError` when the group is over.
   */
  run<R>(fn: (task: GroupTask) => R | PromiseLike<R>): Promise<R> {
    requireFunction("fn", fn);
    if (this.isOver) throw new GroupEndedError();
    this.open++;
    const result = this.call(fn);
    result.then(
      () => this.leave(),
      (error: unknown) => {
        this.failed(error);
        this.leave();
      },
    );
    return result;
  }

  /** Runs the body, then waits for whatever is still running. @internal */
  async whole<R>(body: (group: Group) => R | PromiseLike<R>): Promise<R> {
    let result: R | undefined;
    try {
      result = await body(this);
    } catch (error) {
      this.failed(error);
    }
    // What hears that the last task is over may start another one.
    while (this.open > 0) {
      await new Promise<void>((resolve) => {
        this.whenEmpty = resolve;
      });
    }
    this.isOver = true;
    if (this.failures.length > 1) {
      const [first] = this.failures;
      throw new AggregateError(this.failures, `${this.failures.length} tasks of the group failed`, {
        cause: first,
      });
    }
    if (this.failures.length === 1) throw this.failures[0];
    this.signal.throwIfAborted();
    return result as R;
  }

  /** @internal */
  abort(reason: unknown): void {
    this.controller.abort(reason);
  }

  private async call<R>(fn: (task: GroupTask) => R | PromiseLike<R>): Promise<R> {
    this.signal.throwIfAborted();
    return await fn({ signal: this.signal });
  }

  private failed(error: unknown): void {
    if (this.isEcho(error)) return;
    this.failures.push(error);
    this.abort(error);
  }

  /** Whether it is no failure of its own, but what the abort led to, or an error that is known already. */
  private isEcho(error: unknown): boolean {
    const { aborted, reason } = this.signal;
    if (!aborted) return false;
    return error === reason || this.failures.includes(error) || isErrorNamed("AbortError", error);
  }

  private leave(): void {
    if (--this.open === 0) this.whenEmpty?.();
  }
}

/**
 * Runs tasks that end before it does, whatever happens: `body` starts them by `group.run`, and can await their promises or not. When
 * body and all tasks are over, resolves with what `body` returned.
 *
 * The first failure, the body's own included, aborts `group.signal`; nothing can be stopped that doesn't listen to it, so it
 * takes until all have ended. Then the group rejects with that error. If others failed meanwhile, it rejects with an `AggregateError` of
 * all of them, in order, the first one also being its `cause`. Python's TaskGroup, the model, wraps even a single error into an
 * `ExceptionGroup`, and has `except*` to unwrap it; here one failure, the usual case, can be caught as what it is. As there, what only
 * tells of the abort is no failure: the signal's reason, or an `AbortError`, once the group is aborted.
 *
 * With `signal` aborted from outside, rejects with its reason when all have ended, unless a task failed.
 *
 * @example
 * const total = await runGroup(async (group) => {
 *   const prices = ["tea", "milk"].map((item) => group.run(async () => item.length));
 *   return (await Promise.all(prices)).reduce((sum, price) => sum + price);
 * });
 * console.log(total); // 7
 */
export async function runGroup<R>(
  body: (group: Group) => R | PromiseLike<R>,
  options?: GroupOptions,
): Promise<R> {
  requireFunction("body", body);
  checkObject("options", options);
  checkKnown(options, { signal: true });
  const { signal } = options ?? {};
  if (signal !== undefined) signals.check("signal", signal);
  if (signal?.aborted) throw signal.reason;
  const group = new Group();
  const listener: Abortable = { signals: undefined, aborted: (reason) => group.abort(reason) };
  if (signal !== undefined) signals.join(signal, listener);
  try {
    return await group.whole(body);
  } finally {
    signals.leave(listener);
  }
}
