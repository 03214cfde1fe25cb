/** Line and column of offsets into a text; both begin with 0. */
export class Lines {
  private readonly starts: number[] = [0];

  constructor(text: string) {
    // As source maps and V8 count: a separator of lines or paragraphs ends a line of code.
    for (const { index, 0: end } of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) {
      this.starts.push(index + end.length);
    }
  }

  get count(): number {
    return this.starts.length;
  }

  /** Without what ends it. */
  text(code: string, line: number): string {
    return code.slice(this.starts[line], this.starts[line + 1]);
  }

  position(offset: number): [line: number, column: number] {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return [low, offset - this.starts[low]!];
  }
}
