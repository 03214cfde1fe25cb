import { nextTurn } from "./real-time.js";

/**
 * The one door by which this library writes to the terminal. Whatever is behind it (a pipe without a reader, a full disk, a
 * stream or console that was replaced), it neither throws nor ends the process, and changes nothing for others who
 * write there.
 */

/** At most this much unwritten output is kept, in bytes. */
const MAX_WAITING = 1_000_000;

/** Writes a line to stderr, if that can be done. */
export function print(text: string): void {
  try {
    const { stderr } = process;
    if (stderr.writableLength > MAX_WAITING) return;
    const ward = Ward.of(stderr);
    ward.enter();
    let isOver = false;
    const over = (error?: unknown) => {
      if (isOver) return;
      isOver = true;
      ward.leave(error);
    };
    try {
      stderr.write(`${text}\n`, over);
    } catch (error) {
      over(error);
    }
    // A foreign function, which may never call back.
    if (Object.hasOwn(stderr, "write")) nextTurn(over);
  } catch {
    // No output is left to tell it on.
  }
}

/** The same by the console, for what an application may want to have in its log. */
export function printToConsole(text: string): void {
  contained(() => console.error(text));
}

/** Calls what writes to stderr by itself, as the console does and Node when it warns. */
export function contained(act: () => void): void {
  try {
    const ward = Ward.of(process.stderr);
    ward.enter();
    nextTurn(() => ward.leave());
  } catch {
    // Without a stream there is nothing to be contained but what is thrown.
  }
  try {
    act();
  } catch {
    // No output is left to tell it on.
  }
}

/** What Node keeps of a stream that has failed: its console takes no more care of one on which that is true. */
interface State {
  errorEmitted?: boolean;
}

/**
 * Looks after a stream while we write there. A write that fails makes it emit an `error` a tick later, which ends the process where nothing
 * listens. Errors of others' writes end where they would have ended without us.
 */
class Ward {
  private static readonly wards = new WeakMap<object, Ward>();
  private pending = 0;
  /** What our own writes failed with. */
  private readonly failures = new Set<unknown>();
  private readonly hadFailed: boolean | undefined;

  private constructor(private readonly stream: NodeJS.WriteStream) {
    this.hadFailed = this.state?.errorEmitted;
    stream.on("error", this.hear);
    Ward.wards.set(stream, this);
  }

  static of(stream: NodeJS.WriteStream): Ward {
    return Ward.wards.get(stream) ?? new Ward(stream);
  }

  enter(): void {
    this.pending++;
  }

  leave(error?: unknown): void {
    this.pending--;
    if (error !== undefined && error !== null) this.failures.add(error);
    if (this.failures.size === 0) this.end();
    // The event comes in one of the next ticks.
    else nextTurn(() => this.end());
  }

  private end(): void {
    const { stream, state } = this;
    if (this.pending > 0 || Ward.wards.get(stream) !== this) return;
    Ward.wards.delete(stream);
    stream.off("error", this.hear);
    // As it was before, or the next one who uses the console would pay for us.
    if (this.hadFailed === false && state?.errorEmitted === true) state.errorEmitted = false;
  }

  private get state(): State | undefined {
    return (this.stream as { _writableState?: State })._writableState;
  }

  private readonly hear = (error: unknown): void => {
    const isOurs = this.pending > 0 || this.failures.has(error);
    // Without our listener the error would have been thrown, and so it is.
    if (!isOurs && this.stream.listenerCount("error") === 1) throw error;
  };
}
