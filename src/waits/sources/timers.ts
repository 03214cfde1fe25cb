import { syncBuiltinESMExports } from "node:module";
import promises from "node:timers/promises";
import { inspect } from "node:util";
import { realNow } from "../../base/real-time.js";
import type { Method } from "../../base/replace-method.js";
import { callingTask } from "../clients/query-wait.js";
import { replace } from "../replace.js";
import type { TaskNotes } from "../task-notes.js";
import type { Wait } from "../wait.js";
import { Pending } from "./source.js";

/** Shorter ones, in milliseconds, are left out: they are many, of libraries for the most part, and over soon. */
const MIN_MS = 100;

/** A timer, which a task may wait for, or not: it may also be the limit for something else. */
class TimerWait extends Pending {
  readonly kind = "timer";
  /** Weakly, because what it calls back may hold the task's context. */
  private readonly timer: WeakRef<object>;

  constructor(
    notes: TaskNotes,
    timer: object,
    private readonly delayMs: number,
  ) {
    super(notes);
    this.timer = new WeakRef(timer);
  }

  /** Whether it has fired, or was cleared. */
  get isOver(): boolean {
    const timer = this.timer.deref();
    if (timer === undefined) return true;
    if (timer instanceof Promise)
      return !/\{\s*<pending>/.test(inspect(timer, { depth: 0, customInspect: false }));
    return (timer as { _destroyed?: boolean })._destroyed === true;
  }

  protected label(): string {
    return `timer of ${seconds(this.delayMs)}`;
  }

  protected override state(): string {
    return `due in ${seconds(Math.max(0, this.since + this.delayMs - realNow()))}`;
  }

  override describe(): Wait | undefined {
    if (this.isOver) this.end();
    // The process doesn't wait for it: it is there to clean up.
    else if ((this.timer.deref() as { hasRef?(): boolean }).hasRef?.() !== false) return super.describe();
    return undefined;
  }
}

/** Timers of tasks: those of the global `setTimeout`, and of `node:timers/promises`. Returns the function that ends it. */
export function watchTimers(): () => void {
  let isOn = true;
  const noting = (original: Method, delayAt: number): Method => {
    function setTimeout(this: unknown, ...args: unknown[]): unknown {
      const timer: unknown = Reflect.apply(original, this, args);
      if (isOn) note(timer, args[delayAt]);
      return timer;
    }
    // `promisify` finds its own form there.
    return Object.defineProperties(setTimeout, Object.getOwnPropertyDescriptors(original));
  };
  const restores = [
    replace(globalThis, "setTimeout", (original) => noting(original, 1)),
    replace(promises, "setTimeout", (original) => noting(original, 0)),
  ];
  syncBuiltinESMExports();
  return () => {
    isOn = false;
    for (const restore of restores) restore?.();
    syncBuiltinESMExports();
  };
}

function note(timer: unknown, delayMs: unknown): void {
  try {
    if (!(Number(delayMs) >= MIN_MS)) return;
    const notes = callingTask();
    if (notes === undefined || typeof timer !== "object" || timer === null) return;
    for (let { last } = notes.pending; last instanceof TimerWait && last.isOver; { last } = notes.pending)
      last.end();
    new TimerWait(notes, timer, Number(delayMs));
  } catch {
    // Another version of Node may have another form: that timer stays unknown.
  }
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
