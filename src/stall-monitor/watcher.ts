import { errorLine } from "../base/error-text.js";
import { print } from "../base/output.js";
import { shown } from "../base/shown.js";
import { BYTES, SLOTS } from "./memory.js";
import { readOptions, type Settings, type StallWatcherOptions } from "./options.js";
import { limitOfRuntime, otherRuntime } from "./other-runtime.js";
import { SharedHead } from "./shared-head.js";
import type { BlockedHead, News, Stall } from "./stall.js";
import { Watch } from "./watch.js";

/** How much of a reason is printed, in characters. */
const MAX_REASON = 1_000;

type Listeners<T> = Set<(told: T) => void>;

/**
 * A thread that notices while the event loop is blocked, and says at once by what: on stderr, in a file. Listeners are told when the
 * loop turns again. Never holds the process, and breaks nothing of the user's.
 */
export class StallWatcher {
  private readonly settings: Settings;
  private readonly buffer = new SharedArrayBuffer(BYTES);
  private readonly memory = new Float64Array(this.buffer);
  private readonly slots = new Map<SharedHead, { readonly queue: string; readonly tier: string }>();
  private readonly free = Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index);
  private readonly starts: Listeners<undefined> = new Set();
  private readonly stalls: Listeners<Stall> = new Set();
  private readonly breaches: Listeners<BlockedHead> = new Set();
  private readonly limits: Listeners<string> = new Set();
  private readonly errors: Listeners<unknown> = new Set();
  private watch: Watch | undefined = undefined;
  private isLimited = false;

  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(options?: StallWatcherOptions) {
    this.settings = readOptions(options);
  }

  /** From now on nothing escapes the thread: what blocks the event loop earlier, while it starts, may go unnamed. */
  onReady(listener: () => void): this {
    this.starts.add(listener);
    return this;
  }

  /** A stall is over. */
  onStall(listener: (stall: Stall) => void): this {
    this.stalls.add(listener);
    return this;
  }

  /** During a stall a head was beyond its SLA: told once for each stall and head. */
  onBreach(listener: (breach: BlockedHead) => void): this {
    this.breaches.add(listener);
    return this;
  }

  /** Something can't be watched here; told once, with the reason in words. Printed too, unless `print` is false. */
  onLimited(listener: (reason: string) => void): this {
    this.limits.add(listener);
    return this;
  }

  /** Something of ours failed, or a callback or listener threw. */
  onError(listener: (error: unknown) => void): this {
    this.errors.add(listener);
    return this;
  }

  /** A place to publish the head of one tier of one queue. There are 1 024; who comes after that is told by `onError`. */
  slot(queue: string, tier: string): SharedHead {
    const index = this.free.pop();
    if (index === undefined) this.fault(new Error(`only ${SLOTS} heads can be watched during stalls`));
    const slot = new SharedHead(this.memory, index, () => {
      this.slots.delete(slot);
      if (index === undefined) return;
      this.free.push(index);
      this.watch?.send({ kind: "free", index });
    });
    this.slots.set(slot, { queue, tier });
    this.announce(slot);
    return slot;
  }

  /** Once is enough. */
  start(): this {
    if (this.watch !== undefined) return this;
    if (!process.getBuiltinModule("node:worker_threads").isMainThread) {
      this.limit("this is no main thread: its event loop is not watched for stalls");
      return this;
    }
    if (otherRuntime() !== undefined) this.limitRuntime(limitOfRuntime());
    try {
      const watch = new Watch(
        this.settings,
        this.buffer,
        (news) => this.hear(news),
        (error) => this.fault(error),
      );
      this.watch = watch;
      watch.gone.then(() => {
        if (this.watch === watch) this.watch = undefined;
      });
      for (const slot of this.slots.keys()) this.announce(slot);
    } catch (error) {
      this.limit(`threads are not available (${codeOf(error)}): event-loop stalls are not watched`);
    }
    return this;
  }

  /** Resolves when the thread is gone. Can be called again, and before the start. */
  async stop(): Promise<void> {
    const { watch } = this;
    this.watch = undefined;
    await watch?.end();
  }

  private announce(slot: SharedHead): void {
    const names = this.slots.get(slot)!;
    if (slot.index !== undefined) this.watch?.send({ kind: "slot", index: slot.index, ...names });
  }

  private hear(news: News): void {
    if (news.kind === "ready") this.tell(this.starts, undefined);
    else if (news.kind === "stall") this.tell(this.stalls, news.stall);
    else if (news.kind === "breach") this.tell(this.breaches, news.breach);
    else if (news.kind === "limited") this.limit(news.reason);
    else this.fault(new Error(news.message));
  }

  /** Its thread would say the same, less clearly. */
  private limitRuntime(reason: string | undefined): void {
    if (reason === undefined) this.isLimited = true;
    else this.limit(reason);
  }

  private limit(reason: string): void {
    if (this.isLimited) return;
    this.isLimited = true;
    if (this.settings.print) print(`queuescope: ${shown(reason, MAX_REASON)}`);
    this.tell(this.limits, reason);
  }

  private fault(error: unknown): void {
    this.tell(this.errors, error);
  }

  private tell<T>(listeners: Listeners<T>, told: T): void {
    for (const listener of listeners) {
      try {
        listener(told);
      } catch (error) {
        // Whoever is told of errors and throws one has nobody to be told.
        if ((listeners as unknown) !== this.errors) this.fault(error);
      }
    }
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? errorLine(error);
}
