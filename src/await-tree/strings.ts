/** How much of a string is kept, in bytes: names and IDs are shorter, and what a program processes is not to be kept at all. */
const MAX_BYTES = 256;

/** The strings of a heap snapshot, by index, in one block of memory. */
export class StringTable {
  private bytes = Buffer.allocUnsafe(1 << 14);
  private ends = new Uint32Array(1 << 10);
  private count = 0;
  private size = 0;
  private readonly known = new Map<number, string>();

  push(text: string): void {
    // A character takes three bytes at most.
    while (this.bytes.length - this.size < MAX_BYTES * 3) this.bytes = grown(this.bytes);
    if (this.count === this.ends.length) {
      const more = new Uint32Array(this.count * 2);
      more.set(this.ends);
      this.ends = more;
    }
    this.size += this.bytes.write(text.length > MAX_BYTES ? text.slice(0, MAX_BYTES) : text, this.size);
    this.ends[this.count++] = this.size;
  }

  /** The indices of those of the texts that are there. */
  indicesOf(texts: ReadonlySet<string>): Map<number, string> {
    const lengths = new Set([...texts].map((text) => Buffer.byteLength(text)));
    const found = new Map<number, string>();
    for (let index = 0, start = 0; index < this.count; start = this.ends[index++]!) {
      const end = this.ends[index]!;
      if (!lengths.has(end - start)) continue;
      const text = this.bytes.toString("utf8", start, end);
      if (texts.has(text)) found.set(index, text);
    }
    return found;
  }

  /** An index that isn't there gives the empty string. */
  at(index: number): string {
    if (index >= this.count) return "";
    const known = this.known.get(index);
    if (known !== undefined) return known;
    const text = this.bytes.toString("utf8", index === 0 ? 0 : this.ends[index - 1]!, this.ends[index]!);
    // Names are asked for again and again.
    if (this.known.size < 10_000) this.known.set(index, text);
    return text;
  }
}

function grown(bytes: Buffer): Buffer<ArrayBuffer> {
  const more = Buffer.allocUnsafe(bytes.length * 2);
  bytes.copy(more);
  return more;
}
