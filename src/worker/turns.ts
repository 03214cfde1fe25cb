/** So many tasks may begin until the event loop is asked for a turn. */
const ASK_AFTER = 256;
/** And so many until the next one has to wait for it. */
const MOST = 1_024;

/** Sees to it that the event loop has its turn: tasks of nothing but microtasks would hold up timers, signals and I/O for ever. */
export class Turns {
  private begun = 0;

  /** A task begins. */
  begin(): void {
    if (++this.begun === ASK_AFTER) setImmediate(this.turned);
  }

  /** Has it been too long since the last turn? Then the next task had better begin in a `setImmediate`. */
  get isDue(): boolean {
    return this.begun >= MOST;
  }

  private readonly turned = (): void => {
    this.begun = 0;
  };
}
