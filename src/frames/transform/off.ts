/** `// queuescope-frames off`, and `// queuescope-frames off file`. */
const COMMENT = /(?:\/\/|\/\*|^\s*\*).*?\bqueuescope-frames[ \t]+off\b([ \t]+file\b)?/;
const MARK = "queuescope-frames";

/** What comments in a source switch off. */
export interface Off {
  /** Whether that is all of it. */
  readonly file: boolean;
  /** Lines that have such a comment, from 0 on: it is for functions that begin there, or in the next line. */
  readonly lines: ReadonlySet<number>;
}

const NOTHING: Off = { file: false, lines: new Set() };

export function switchedOff(source: string | undefined): Off {
  if (source === undefined || !source.includes(MARK)) return NOTHING;
  const lines = new Set<number>();
  let file = false;
  for (const [line, text] of source.split(/\r\n|[\n\r\u2028\u2029]/).entries()) {
    const comment = text.includes(MARK) ? COMMENT.exec(text) : null;
    if (comment === null) continue;
    if (comment[1] === undefined) lines.add(line);
    else file = true;
  }
  return { file, lines };
}
