import { types } from "node:util";
import type { ProcessWide } from "../base/process-wide.js";
import { stateThere } from "../base/process-wide-key.js";
import {
  AWAITS,
  AWAITS_ANY,
  FrameList,
  type FrameState,
  OVER,
  RUNNING,
  RUNTIME,
  type TaskFrame,
  YIELDS,
} from "../waits/frame-list.js";
import { iterableFor } from "./iterables.js";
import { CALLED, NOTHING_YET, Returned, UNKNOWN } from "./returned.js";

/** Of the library, which may be loaded later: this is loaded first of all. */
let library: Pick<ProcessWide, "correlation" | "activeTaskMonitor"> | undefined;

/** Where a task's frames are kept: its notes, which go with it. */
interface Notes {
  frames?: FrameList | undefined;
}

/** The async function whose code runs now, where that is one of a task. */
let current: Frame | undefined;

const { apply } = Reflect;

/**
 * A call of an async function. What transformed code calls on it never throws, and gives values back as they are: the same promises are awaited,
 * in the same microtasks. It holds no value of the user's while it is suspended.
 */
class Frame implements TaskFrame {
  site = 0;
  state: FrameState = RUNNING;
  isListed = false;
  older: TaskFrame | undefined = undefined;
  newer: TaskFrame | undefined = undefined;
  /** How many of those that it has called have not ended. */
  private children = 0;
  /** Those of them that have returned a promise, and so are awaited in effect, though they have ended: at most until this goes on. */
  private ghosts: Frame | undefined = undefined;
  /** Where a promise is returned. */
  private returns: Returned<Frame> | undefined = undefined;

  constructor(
    readonly place: string,
    /** Undefined: outside of tasks, where all is free. */
    readonly notes: Notes | undefined,
    public parent: Frame | undefined,
    /** What ran before, and goes on when this is suspended: only in a stretch that was called, not resumed. */
    private previous: Frame | undefined,
  ) {
    if (parent !== undefined) parent.children++;
  }

  /** Before it is suspended by an `await` of the call of one function. */
  at<T>(site: number, value: T): T {
    if (this.notes !== undefined) {
      if (this.ghosts !== undefined) this.lookAtPromises(this.children > 1);
      this.site = site;
      this.state = AWAITS;
      current = this.previous;
    }
    return value;
  }

  /** The same of anything else: several calls may go on in parallel. */
  any<T>(site: number, value: T): T {
    if (this.notes !== undefined) {
      if (this.ghosts !== undefined) this.lookAtPromises(true);
      this.site = site;
      this.state = AWAITS_ANY;
      current = this.previous;
    }
    return value;
  }

  /** After it. */
  back<T>(value: T): T {
    if (this.notes !== undefined) {
      if (this.ghosts !== undefined) this.dropGhosts();
      this.state = RUNNING;
      this.previous = undefined;
      current = this;
    }
    return value;
  }

  /** Before a `yield`, from which it is resumed by who calls `next()`. */
  out<T>(site: number, value: T): T {
    if (this.notes !== undefined) {
      this.any(site, value);
      this.state = YIELDS;
    }
    return value;
  }

  in<T>(value: T): T {
    if (this.notes !== undefined) this.on();
    return value;
  }

  /** Where it may have been resumed otherwise: in `catch` and `finally`, and in the body of a `for await`. */
  on(): void {
    if (this.notes === undefined) return;
    if (this.ghosts !== undefined) this.dropGhosts();
    if (this.state === YIELDS) this.previous = current;
    else if (this.state !== RUNNING) this.previous = undefined;
    this.state = RUNNING;
    current = this;
  }

  /** A promise that is returned is awaited in effect. */
  tail<T>(site: number, value: T): T {
    if (this.notes !== undefined && typeof value === "object" && types.isPromise(value)) {
      this.returns = new Returned(site, value);
    }
    return value;
  }

  exit(): void {
    if (this.notes === undefined) return;
    // Suspended: what it awaited was rejected, and it caught nothing. Then nothing of it is current.
    if (this.state === RUNNING) current = this.previous;
    this.previous = undefined;
    if (this.returns === undefined) this.end();
    else this.remain(this.returns);
  }

  /** The iterable of a `for await`, so that the loop is suspended while it waits for it. */
  each<T>(site: number, complaint: string, iterable: T): T {
    if (this.notes === undefined || iterable === undefined || iterable === null) return iterable;
    return iterableFor(iterable, complaint, (method, iterator) => (...args) => {
      try {
        return apply(method, iterator, args);
      } finally {
        this.at(site, undefined);
      }
    });
  }

  /** That of a `yield*`: what resumes this resumes the inner one directly. */
  over<T>(iterable: T): T {
    if (this.notes === undefined || iterable === undefined || iterable === null) return iterable;
    return iterableFor(iterable, undefined, (method, iterator) => (...args) => {
      const before = current;
      current = this;
      try {
        return apply(method, iterator, args);
      } finally {
        current = before;
      }
    });
  }

  /** What is disposed of before an `await using` is. */
  until(site: number): { [dispose](): void } {
    return { [dispose]: () => void this.at(site, undefined) };
  }

  /**
   * Goes on as a ghost. To listen to the promise would cut V8's async stack traces short, and to hold it, or refer to it weakly, has its price: so it is
   * taken as pending while what awaits it is suspended; only where that may await something else, too, it is looked at.
   */
  private remain(returns: Returned<Frame>): void {
    // What has ended awaits nothing.
    if (this.parent?.state === OVER) this.parent = undefined;
    const { parent } = this;
    returns.unknown = this.countUnknown();
    const isUnknown = this.children === returns.unknown;
    // Of the roots it is the handler, which is first, that the task waits for.
    if (parent === undefined && isUnknown && (this.notes!.frames as FrameList).oldest !== this) {
      this.end();
      return;
    }
    if (this.ghosts !== undefined) this.lookAtPromises(!isUnknown);
    this.site = returns.site;
    this.state = AWAITS;
    returns.to = isUnknown ? UNKNOWN : CALLED;
    if (!isUnknown || parent === undefined) returns.promise = undefined;
    if (parent === undefined) return;
    if (isUnknown) {
      parent.oneMoreUnknown();
      if (parent.state !== RUNNING)
        returns.look(!this.isAwaitedAlone(), this, library?.correlation.getStore());
    }
    returns.next = parent.ghosts;
    parent.ghosts = this;
  }

  private countUnknown(): number {
    let count = 0;
    for (let ghost = this.ghosts; ghost !== undefined; ghost = ghost.returns!.next) {
      if (ghost.isUnknown && ghost.state !== OVER) count++;
    }
    return count;
  }

  /** If nothing else is left of what it returned the promise of, it is unknown itself. */
  private oneMoreUnknown(): void {
    for (let frame: Frame | undefined = this; frame !== undefined; frame = frame.parent) {
      const { returns }: Frame = frame;
      if (returns === undefined || returns.to === NOTHING_YET) return;
      returns.unknown++;
      if (returns.to === UNKNOWN || frame.children > returns.unknown) return;
      returns.to = UNKNOWN;
    }
  }

  /** Whether what awaits it, or awaits in effect what returned its promise, awaits nothing else. */
  private isAwaitedAlone(): boolean {
    for (
      let { parent } = this as { parent: Frame | undefined };
      parent !== undefined;
      parent = parent.parent
    ) {
      if (parent.children > 1 || parent.state !== AWAITS) return false;
      if (!parent.isGhost) return true;
    }
    return true;
  }

  /** Those that were returned while this ran. */
  private lookAtPromises(areSeveral: boolean): void {
    for (let ghost = this.ghosts; ghost !== undefined; ghost = ghost.returns!.next) {
      const returns = ghost.returns!;
      if (returns.promise !== undefined) returns.look(areSeveral, ghost, library?.correlation.getStore());
    }
  }

  /** With theirs; there may be very many, one in another. */
  private dropGhosts(): void {
    const dropped: Frame[] = [];
    const take = (frame: Frame) => {
      for (let ghost = frame.ghosts; ghost !== undefined; ghost = ghost.returns!.next) dropped.push(ghost);
      frame.ghosts = undefined;
    };
    take(this);
    for (let ghost = dropped.pop(); ghost !== undefined; ghost = dropped.pop()) {
      take(ghost);
      ghost.unlink();
    }
  }

  end(): void {
    if (this.ghosts !== undefined) this.dropGhosts();
    this.unlink();
  }

  /** With the ghosts that were there for it. */
  private unlink(): void {
    let frame: Frame | undefined = this;
    while (frame !== undefined && frame.state !== OVER) {
      const { parent }: Frame = frame;
      frame.state = OVER;
      // Else a chain of functions that start each other would never end.
      frame.parent = undefined;
      frame.returns?.forget(frame);
      (frame.notes!.frames as FrameList).remove(frame);
      if (parent === undefined) return;
      parent.children--;
      const { returns }: Frame = parent;
      if (returns === undefined || returns.to === NOTHING_YET) return;
      if (frame.isUnknown) returns.unknown--;
      if (returns.to !== CALLED || parent.children > returns.unknown) return;
      if (parent.children > 0) {
        returns.to = UNKNOWN;
        parent.parent?.oneMoreUnknown();
        return;
      }
      frame = parent;
    }
  }

  private get isGhost(): boolean {
    return this.returns !== undefined && this.returns.to !== NOTHING_YET;
  }

  /** Whether it has returned a promise, and nothing of the task is known to work on it. */
  private get isUnknown(): boolean {
    return this.returns?.to === UNKNOWN;
  }

  /** Whether what that is of is no function of the task, as it seems, nor what called it. */
  get isForgotten(): boolean {
    return this.isUnknown && this.parent === undefined;
  }

  get returned(): WeakRef<Promise<unknown>> | undefined {
    return this.returns?.ref;
  }
}

/** Stands for all functions outside of tasks. */
const none = new Frame("", undefined, undefined, undefined);

/** Older versions of Node have no such symbol, and then no code that asks for it. */
const dispose: unique symbol = ((Symbol as { dispose?: symbol }).dispose ?? Symbol("dispose")) as never;

/** Begins a function. Its task is that of its async context: what was called by another task's code may belong to this one. */
function enter(place: string): Frame {
  library ??= stateThere() as typeof library;
  if (library?.activeTaskMonitor.current === undefined) return none;
  const notes = library.correlation.getStore()?.notes as Notes | undefined;
  if (notes === undefined) return none;
  const parent = current !== undefined && current.notes === notes ? current : undefined;
  const frame = new Frame(place, notes, parent, current);
  notes.frames ??= new FrameList();
  const { frames } = notes;
  if (parent === undefined && frames.oldest !== undefined) dropForgotten(frames.oldest as Frame);
  frames.add(frame);
  current = frame;
  return frame;
}

/** The handler that has handed its work on to code that isn't transformed may well be over by now. */
function dropForgotten(oldest: Frame): void {
  if (oldest.isForgotten) oldest.end();
}

/** What is behind the global: one in a process, or thread. */
interface Runtime {
  readonly enter: typeof enter;
  /** Whether this is the first call: what is loaded is transformed once. */
  hook(): boolean;
}

/** Can be called again, and by several copies of this library: the first one serves all. */
export function installRuntime(): Runtime {
  let isHooked = false;
  const runtime: Runtime = {
    enter,
    hook() {
      const isFirst = !isHooked;
      isHooked = true;
      return isFirst;
    },
  };
  const global = globalThis as { [RUNTIME]?: Runtime };
  if (global[RUNTIME] === undefined)
    Object.defineProperty(global, RUNTIME, { value: runtime, configurable: true });
  return global[RUNTIME]!;
}
