import { wallNow } from "./clock.js";
/** Something that changed, and that one wants to know of when things have gone wrong. */
export interface Transition {
  /** Epoch milliseconds. */
  readonly at: number;
  /** The queue or pool. */
  readonly who: string;
  readonly what: string;
}

/** How many transitions are kept. */
const MAX_TRANSITIONS = 200;

/** A flight recorder: the last transitions of all queues and pools, while it has users. */
export class Recorder {
  /** How many users it has; without any, nothing need be noted. */
  interested = 0;
  private readonly ring: Transition[] = [];
  private next = 0;

  /** Notes it, if it has users. */
  tell(who: string, what: string): void {
    if (this.interested > 0) this.note(who, what);
  }

  note(who: string, what: string): void {
    this.ring[this.next] = { at: wallNow(), who, what };
    this.next = (this.next + 1) % MAX_TRANSITIONS;
  }

  /** The oldest first. */
  transitions(): Transition[] {
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)];
  }
}
