import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Piscina } from "piscina";
import { type Abortable, type SignalGroup, signals } from "../../base/abort-signals.js";
import type { Clock, Timer } from "../../base/clock.js";
import { ThreadCrashedError, ThreadsClosedError, ThreadTerminatedError } from "../../base/errors.js";
import { BoardReader } from "./board.js";
import type { ThreadCaller } from "./caller.js";
import { pack, unpack } from "./errors.js";
import type { Abort, News, Parcel } from "./messages.js";

/** How often a task is given to a thread that dies before it has begun with it. */
const MAX_TRIES = 3;

/** How long to wait between two looks at the board of a task that says much, in milliseconds. */
const LOOK_EVERY_MS = 50;

/** One task, from the main thread's side. All that is said about it goes through a port of its own. */
export class Call implements Abortable {
  signals: SignalGroup | undefined = undefined;
  private port: MessagePort | undefined = undefined;
  /** Aborted to terminate the thread; the reason says why. */
  private kill = new AbortController();
  private isStarted = false;
  private outcome: { readonly result: unknown } | { readonly error: unknown } | undefined = undefined;
  private timer: Timer | undefined = undefined;
  private readonly board: BoardReader;
  private nextLook: Timer | undefined = undefined;

  constructor(
    private readonly parcel: Parcel,
    private readonly caller: ThreadCaller,
    private readonly terminateAfterMs: number,
    private readonly clock: Clock,
  ) {
    this.board = new BoardReader(parcel.board);
  }

  /** Resolves or rejects as the handler in the thread does. */
  async made(threads: Piscina): Promise<unknown> {
    const { signal } = this.caller;
    if (signal?.aborted) throw signal.reason;
    if (signal !== undefined) signals.join(signal, this);
    try {
      for (let tries = 1; ; tries++) {
        const failure = await this.send(threads);
        if (this.outcome !== undefined) break;
        if (failure instanceof ThreadTerminatedError || failure instanceof ThreadsClosedError) throw failure;
        // The crash of another task: this one has not even begun.
        if (this.isStarted || tries === MAX_TRIES) throw new ThreadCrashedError(failure);
        if (signal?.aborted) throw signal.reason;
      }
    } finally {
      signals.leave(this);
      if (this.timer !== undefined) this.clock.clearTimeout(this.timer);
    }
    if ("error" in this.outcome) throw this.outcome.error;
    return this.outcome.result;
  }

  /** No thread is left that would take it. */
  lost(error: unknown): void {
    if (!this.isStarted) this.kill.abort(error);
  }

  /** Terminates the thread, whatever it does. */
  close(): void {
    this.kill.abort(new ThreadsClosedError());
  }

  /**
   * Gives it to a thread, and waits until that is done with it. Returns what went wrong with the thread. Rejects if the item can't
   * be cloned.
   */
  private async send(threads: Piscina): Promise<unknown> {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    try {
      port1.postMessage(this.parcel);
      port1.on("message", this.hear);
      return await this.handOver(threads, port2);
    } finally {
      port1.off("message", this.hear);
      port1.close();
    }
  }

  private async handOver(threads: Piscina, port: MessagePort): Promise<unknown> {
    const { signal } = this.kill;
    try {
      await threads.run(port, { transferList: [port], signal });
      this.hearRest();
      return new Error("it has said nothing that can be read");
    } catch (error) {
      this.hearRest();
      if (!signal.aborted) return error;
      this.kill = new AbortController();
      return signal.reason;
    }
  }

  /** What the thread said last may not have been delivered when it is over. */
  private hearRest(): void {
    for (let rest = this.receive(); rest !== undefined; rest = this.receive()) this.hear(rest.message);
    if (this.nextLook !== undefined) this.clock.clearTimeout(this.nextLook);
    this.nextLook = undefined;
    this.board.read(this.caller);
  }

  private receive(): { readonly message: News } | undefined {
    return receiveMessageOnPort(this.port!);
  }

  private readonly hear = (news: News): void => {
    if (news.kind === "started") this.isStarted = true;
    else if (news.kind === "said") {
      if (this.nextLook === undefined) this.look();
    } else if (news.kind === "done") this.outcome = { result: news.result };
    else this.outcome = { error: news.isReason ? this.caller.signal?.reason : unpack(news.error) };
  };

  /** Tells what is on the board, and looks again after a while; once there is nothing new, the thread says when there is. */
  private readonly look = (): void => {
    const isNew = this.board.read(this.caller);
    this.nextLook = isNew ? this.clock.setTimeout(this.look, LOOK_EVERY_MS) : undefined;
  };

  aborted(reason: unknown): void {
    const message: Abort = { reason: pack(reason) };
    this.port?.postMessage(message);
    if (this.terminateAfterMs === Number.POSITIVE_INFINITY) return;
    this.timer = this.clock.setTimeout(
      () => this.kill.abort(new ThreadTerminatedError(this.terminateAfterMs, reason)),
      this.terminateAfterMs,
    );
  }
}
