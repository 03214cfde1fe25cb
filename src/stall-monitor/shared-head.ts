import { hrNow, LAYOUT } from "./memory.js";

/** Shows the thread, for one tier of one queue, since when its head waits. */
export class SharedHead {
  private readonly at: number;
  private isFree = false;

  /** @internal */
  constructor(
    private readonly memory: Float64Array,
    /** Undefined when all are taken: then it shows nothing. @internal */
    readonly index: number | undefined,
    private readonly freed: (slot: SharedHead) => void,
  ) {
    this.at = LAYOUT.slots + 3 * (index ?? 0);
    this.clear();
  }

  /** The head has waited for `ageMs`; undefined: there is none, or nobody wants it watched. It may wait for `slaMs`. */
  publish(ageMs: number | undefined, slaMs: number): void {
    if (this.index === undefined || this.isFree) return;
    const now = hrNow();
    this.memory[this.at] = ageMs === undefined ? Number.NaN : now - ageMs;
    this.memory[this.at + 1] = slaMs;
    this.memory[this.at + 2] = now;
  }

  /** Nobody watches any more. */
  release(): void {
    if (this.isFree) return;
    this.clear();
    this.isFree = true;
    this.freed(this);
  }

  private clear(): void {
    if (this.index !== undefined) this.memory[this.at] = Number.NaN;
  }
}
