/** Text that is put into code. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

interface Pending {
  readonly at: number;
  readonly text: () => string;
  readonly isOn: () => boolean;
}

/**
 * What is to be put into code, collected while its tree is walked. At one place, what ends there comes before what begins there; of what begins
 * there the outermost comes first, and of what ends there the innermost: so `before` is called on the way down, and `after` on the way up.
 */
export class Insertions {
  private readonly begins: Pending[] = [];
  private readonly ends: Pending[] = [];

  before(at: number, text: string | (() => string), isOn: () => boolean): void {
    this.begins.push(pending(at, text, isOn));
  }

  after(at: number, text: string | (() => string), isOn: () => boolean): void {
    this.ends.push(pending(at, text, isOn));
  }

  /** Those that are on in the end, in order. */
  sorted(code: string): Insertion[] {
    // A sort is stable.
    const sorted = [...this.ends, ...this.begins].filter(({ isOn }) => isOn()).sort((a, b) => a.at - b.at);
    return sorted.map(({ at, text }, i) => ({
      at,
      text: i > 0 && sorted[i - 1]!.at === at ? text() : parted(code, at, text()),
    }));
  }
}

function pending(at: number, text: string | (() => string), isOn: () => boolean): Pending {
  return { at, text: typeof text === "string" ? () => text : text, isOn };
}

const WORD = /[\w$\u0080-\uffff]/;

/** Minified code has `return(x)`, where a name must not be put right behind the word. */
function parted(code: string, at: number, text: string): string {
  return WORD.test(text[0]!) && WORD.test(code[at - 1] ?? "") ? ` ${text}` : text;
}

/** The code with its insertions, which are sorted. */
export function inserted(code: string, insertions: readonly Insertion[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { at, text } of insertions) {
    parts.push(code.slice(from, at), text);
    from = at;
  }
  parts.push(code.slice(from));
  return parts.join("");
}
