/**
 * The one door by which this library writes to the terminal. Whatever is behind it (a pipe that nobody reads any more, a full disk, a
 * stream or console that somebody has replaced), it neither throws nor ends the process, and changes nothing for others who
 * write there.
 */

/** Of what nobody takes no more than this is kept waiting, in bytes. */
const MAX_WAITING = 1_000_000;

/** Taken at once: tests may replace it. */
const later = setImmediate;

/** What is under way on a stream. */
interface Writing {
  pending: number;
  /** What our own writes failed with. */
  readonly failures: Set<unknown>;
  end(): void;
}

const writings = new WeakMap<object, Writing>();

/** Writes a line to stderr, if that can be done. */
export function print(text: string): void {
  try {
    const { stderr } = process;
    if (stderr.writableLength > MAX_WAITING) return;
    write(stderr, `${text}\n`);
  } catch {
    // There is nobody left to be told.
  }
}

/** The same by the console, for what an application may want to have in its log. */
export function printToConsole(text: string): void {
  try {
    // Node's own contains what becomes of its stream.
    console.error(text);
  } catch {
    // As above.
  }
}

/**
 * A write that fails makes the stream emit an `error` afterwards, which ends the process if nobody listens. We do, until that is over.
 * Errors of others' writes end where they would have ended without us.
 */
function write(stream: NodeJS.WriteStream, text: string): void {
  const writing = writings.get(stream) ?? listen(stream);
  writing.pending++;
  let isOver = false;
  const over = (error?: unknown) => {
    if (isOver) return;
    isOver = true;
    writing.pending--;
    if (error !== undefined && error !== null) writing.failures.add(error);
    if (writing.failures.size === 0) writing.end();
    // The event comes in one of the next ticks.
    else later(() => writing.end());
  };
  try {
    stream.write(text, over);
  } catch (error) {
    over(error);
  }
  // Somebody else's function, which may never call back.
  if (Object.hasOwn(stream, "write")) later(over);
}

function listen(stream: NodeJS.WriteStream): Writing {
  const failures = new Set<unknown>();
  const contain = (error: unknown) => {
    const isOurs = writing.pending > 0 || failures.has(error);
    // Without us nobody would have listened, and this is what had become of it.
    if (!isOurs && stream.listenerCount("error") === 1) throw error;
  };
  const writing: Writing = {
    pending: 0,
    failures,
    end() {
      if (writing.pending > 0 || writings.get(stream) !== writing) return;
      writings.delete(stream);
      stream.off("error", contain);
    },
  };
  stream.on("error", contain);
  writings.set(stream, writing);
  return writing;
}
