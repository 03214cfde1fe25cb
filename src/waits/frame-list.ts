/** The global by which transformed code finds its runtime. */
export const RUNTIME = "__queuescopeFrames";

/** What an async function does that has begun: `over` is one that has ended, of which others may still know. */
export const RUNNING = 0;
export const AWAITS = 1;
export const YIELDS = 2;
export const OVER = 3;
/** It awaits something that may stand for several calls, or for none. */
export const AWAITS_ANY = 4;
export type FrameState = typeof RUNNING | typeof AWAITS | typeof AWAITS_ANY | typeof YIELDS | typeof OVER;

/** A call of an async function, from its begin to its end. */
export interface TaskFrame {
  /** File, name, and line and column of the function and of each place where it may wait, as `placesIn` reads them. */
  readonly place: string;
  /** Which of these places it is at; 0 is the function itself. */
  readonly site: number;
  readonly state: FrameState;
  /** What called it, in the same task. */
  readonly parent: TaskFrame | undefined;
  /** What it has returned, where it is not known to be pending. */
  readonly returned: WeakRef<Promise<unknown>> | undefined;
  isListed: boolean;
  older: TaskFrame | undefined;
  newer: TaskFrame | undefined;
}

/** How many frames of a task are listed. A task that never ends may leave behind promises that never settle. */
const MAX_FRAMES = 1_000;
/** How many of the oldest are never left out: they are what all others run for. */
const MAX_ROOTS = 16;

/** The frames of one task that have not ended, in order of their begin. */
export class FrameList {
  oldest: TaskFrame | undefined = undefined;
  newest: TaskFrame | undefined = undefined;
  private count = 0;

  /** A frame that is in no list. */
  add(frame: TaskFrame): void {
    if (this.count >= MAX_FRAMES) this.remove(this.leastTelling());
    frame.isListed = true;
    frame.older = this.newest;
    if (this.newest === undefined) this.oldest = frame;
    else this.newest.newer = frame;
    this.newest = frame;
    this.count++;
  }

  /** Can be called again. */
  remove(frame: TaskFrame): void {
    if (!frame.isListed) return;
    frame.isListed = false;
    const { older, newer } = frame;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    frame.older = undefined;
    frame.newer = undefined;
    this.count--;
  }

  /** The oldest but for the roots: what has waited that long, while a thousand others began, is most likely forgotten. */
  private leastTelling(): TaskFrame {
    let frame = this.oldest!;
    for (let i = 0; i < MAX_ROOTS; i++) frame = frame.newer!;
    return frame;
  }
}
