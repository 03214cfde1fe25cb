/** Something that changed, and that one wants to know of when things have gone wrong. */
export interface Transition {
  /** Epoch milliseconds. */
  readonly at: number;
  /** The queue or pool. */
  readonly who: string;
  readonly what: string;
}

/** How many transitions are kept. */
const MOST = 200;

/** A flight recorder: the last transitions of all queues and pools, while somebody is interested. */
export class Recorder {
  /** How many are interested; while there are none, nobody need tell. */
  interested = 0;
  private readonly ring: Transition[] = [];
  private next = 0;

  /** Notes it, if anybody is interested. */
  tell(who: string, what: string): void {
    if (this.interested > 0) this.note(who, what);
  }

  note(who: string, what: string): void {
    this.ring[this.next] = { at: Date.now(), who, what };
    this.next = (this.next + 1) % MOST;
  }

  /** The oldest first. */
  transitions(): Transition[] {
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)];
  }
}
