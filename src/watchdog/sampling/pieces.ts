import { nextTurn, realNow } from "../../base/real-time.js";

/** For how long work goes on before the event loop gets a turn, in milliseconds; and how many pieces that is at least. */
const MAX_MS = 10;
const MIN_PIECES = 8;

/**
 * Work in pieces, done in the order in which it comes: at once, or, when that takes too long, with turns of the event loop in between.
 * What a piece gives to do is part of it.
 */
export class Pieces {
  private readonly waiting: (() => void)[] = [];
  private since = Number.NEGATIVE_INFINITY;
  private done = 0;
  private isDoing = false;
  private readonly toldEmpty: (() => void)[] = [];

  /** Whether there is anything left to do. */
  get isBusy(): boolean {
    return this.waiting.length > 0;
  }

  /** The event loop has turned: there is time. */
  begin(): void {
    if (this.isDoing || this.waiting.length > 0) return;
    this.since = realNow();
    this.done = 0;
  }

  /** `act` must not throw. */
  do(act: () => void): void {
    if (this.isDoing) act();
    else if (this.waiting.length === 0 && this.isTime) this.perform(act);
    else if (this.waiting.push(act) === 1) nextTurn(this.goOn);
  }

  /** Resolves when all is done. */
  finished(): Promise<void> {
    if (this.waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.toldEmpty.push(resolve);
    });
  }

  private get isTime(): boolean {
    return this.done < MIN_PIECES || realNow() - this.since < MAX_MS;
  }

  private perform(act: () => void): void {
    this.done++;
    this.isDoing = true;
    try {
      act();
    } finally {
      this.isDoing = false;
    }
  }

  private readonly goOn = (): void => {
    this.since = realNow();
    this.done = 0;
    let next = 0;
    while (next < this.waiting.length && this.isTime) this.perform(this.waiting[next++]!);
    this.waiting.splice(0, next);
    if (this.waiting.length > 0) nextTurn(this.goOn);
    else for (const resolve of this.toldEmpty.splice(0)) resolve();
  };
}
