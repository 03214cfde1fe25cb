import { realClearTimeout, realSetTimeout } from "../../base/real-time.js";

/** How long a page is, in bytes. */
const PAGE = 131_072;
/** How long pages are kept for another text, in milliseconds: longer than it is from one scrape to the next. */
const KEPT_MS = 120_000;

/** Pages that were given back. New ones for each scrape would have all garbage of the process collected, twice in each with a thousand queues. */
let free: Buffer[] = [];
let timer: NodeJS.Timeout | undefined;

const NOTHING = new Uint8Array(0);

/** A text that is being written, in bytes. */
export class TextPages {
  /** Where to write: on the page, from `used` on, as far as was reserved. */
  page: Buffer = Buffer.alloc(0);
  used = 0;
  private start = 0;
  private full: Uint8Array[] = [];
  private readonly pages: Buffer[] = [];

  /** Makes room for so many bytes. */
  reserve(bytes: number): void {
    if (this.used + bytes <= this.page.length) return;
    this.cut();
    this.page = (bytes <= PAGE ? free.pop() : undefined) ?? Buffer.allocUnsafeSlow(Math.max(PAGE, bytes));
    this.pages.push(this.page);
    this.used = 0;
    this.start = 0;
  }

  /** What was written since the last time, or one piece without anything: it is a good moment to give way. */
  *taken(): Iterable<Uint8Array> {
    this.cut();
    const { full } = this;
    this.full = [];
    if (full.length === 0) yield NOTHING;
    else yield* full;
  }

  /** Gives the pages back: no piece is read from now on, nor anything written. */
  release(): void {
    const { length } = this.pages;
    // What the last text needed is kept, and no more.
    free = [...this.pages.splice(0).filter((page) => page.length === PAGE), ...free].slice(0, length);
    realClearTimeout(timer);
    timer = realSetTimeout(() => {
      free = [];
    }, KEPT_MS);
    timer.unref();
  }

  private cut(): void {
    if (this.used > this.start) this.full.push(this.page.subarray(this.start, this.used));
    this.start = this.used;
  }
}
