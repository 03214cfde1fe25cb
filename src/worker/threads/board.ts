/**
 * What a task says of itself, in memory that both threads see: `step` and `progress` may be called millions of times a second,
 * and only the latest counts. A message each would pile up in front of the main thread's event loop.
 *
 * There are three slots: the writer fills one, the reader reads one, and the one that is done swaps its own for the middle one. So neither waits,
 * no slot is read while it is written, and what was said last can be read even if the thread was terminated right after.
 */

/** Of a step's name, as many UTF-16 units arrive. */
const MAX_UNITS = 500;

/** In each slot, in this order: how often a step and a ratio were told, the step's length in bytes, and the ratio. */
const [STEPS, RATIOS, LENGTH, RATIO_AT, TEXT_AT] = [0, 1, 2, 16, 24];
const SLOT_BYTES = TEXT_AT + 2 * MAX_UNITS;
/** In front of them: which slot is in the middle, and whether it is news. */
const MIDDLE = 0;
const HEADER_BYTES = 8;
const IS_NEWS = 4;

export function newBoard(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + 3 * SLOT_BYTES);
}

class Slot {
  private readonly counts: Int32Array;
  private readonly ratios: Float64Array;
  private readonly text: Buffer;

  constructor(board: SharedArrayBuffer, index: number) {
    const start = HEADER_BYTES + index * SLOT_BYTES;
    this.counts = new Int32Array(board, start, 3);
    this.ratios = new Float64Array(board, start + RATIO_AT, 1);
    this.text = Buffer.from(board, start + TEXT_AT, 2 * MAX_UNITS);
  }

  get steps(): number {
    return this.counts[STEPS]!;
  }

  get ratiosTold(): number {
    return this.counts[RATIOS]!;
  }

  get ratio(): number {
    return this.ratios[0]!;
  }

  get step(): string {
    return this.text.toString("utf16le", 0, this.counts[LENGTH]);
  }

  setStep(name: string, count: number): void {
    this.counts[LENGTH] = this.text.write(name, "utf16le");
    this.counts[STEPS] = count;
  }

  setRatio(ratio: number, count: number): void {
    this.ratios[0] = ratio;
    this.counts[RATIOS] = count;
  }
}

function slotsOf(board: SharedArrayBuffer): readonly Slot[] {
  return [0, 1, 2].map((index) => new Slot(board, index));
}

/** The thread's side. */
export class BoardWriter {
  private readonly middle: Int32Array;
  private readonly slots: readonly Slot[];
  private mine = 1;
  private step = "";
  private steps = 0;
  private ratio = 0;
  private ratios = 0;

  constructor(board: SharedArrayBuffer) {
    this.middle = new Int32Array(board, 0, 1);
    this.slots = slotsOf(board);
  }

  /** Returns true if the reader has read all that was said before: then it must be told that there is more. */
  setStep(name: string): boolean {
    this.step = name;
    this.steps = (this.steps + 1) | 0;
    return this.publish();
  }

  /** Returns what {@link setStep} does. */
  setRatio(ratio: number): boolean {
    this.ratio = ratio;
    this.ratios = (this.ratios + 1) | 0;
    return this.publish();
  }

  private publish(): boolean {
    const slot = this.slots[this.mine]!;
    // Each slot has all, but text is dear to write.
    if (slot.steps !== this.steps) slot.setStep(this.step, this.steps);
    slot.setRatio(this.ratio, this.ratios);
    const before = Atomics.exchange(this.middle, MIDDLE, this.mine | IS_NEWS);
    this.mine = before & ~IS_NEWS;
    return (before & IS_NEWS) === 0;
  }
}

/** The main thread's side. */
export class BoardReader {
  private readonly middle: Int32Array;
  private readonly slots: readonly Slot[];
  private mine = 2;
  private steps = 0;
  private ratios = 0;

  constructor(board: SharedArrayBuffer) {
    this.middle = new Int32Array(board, 0, 1);
    this.slots = slotsOf(board);
  }

  /** Tells what is new since the last time, the latest of each; false if nothing is. */
  read(to: { step?(name: string): void; progress?(ratio: number): void }): boolean {
    if ((Atomics.load(this.middle, MIDDLE) & IS_NEWS) === 0) return false;
    this.mine = Atomics.exchange(this.middle, MIDDLE, this.mine) & ~IS_NEWS;
    const slot = this.slots[this.mine]!;
    const { steps, ratios } = this;
    this.steps = slot.steps;
    this.ratios = slot.ratiosTold;
    if (this.steps !== steps) to.step?.(slot.step);
    if (this.ratios !== ratios) to.progress?.(slot.ratio);
    return true;
  }
}
