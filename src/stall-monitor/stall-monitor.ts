import { errorLine } from "../base/error-text.js";
import { print } from "../base/output.js";
import { shown } from "../base/shown.js";
import { limitOfRuntime, MonitorThread, otherRuntime } from "./monitor-thread.js";
import { BYTES, MAX_HEADS, SharedHead } from "./shared-heads.js";
import type { News, StallListeners, StallMonitorOptions } from "./stall.js";

/** How much of a reason is printed, in characters. */
const MAX_REASON = 1_000;

/**
 * A thread that notices while the event loop is blocked, and says at once by what: on stderr, and in a file. Listeners are called when the
 * loop turns again. Never holds the process, and breaks nothing of the user's.
 */
export class StallMonitor {
  private readonly buffer = new SharedArrayBuffer(BYTES);
  private readonly memory = new Float64Array(this.buffer);
  private readonly heads = new Map<SharedHead, { readonly queue: string; readonly tier: string }>();
  private readonly free = Array.from({ length: MAX_HEADS }, (_, index) => MAX_HEADS - 1 - index);
  private thread: MonitorThread | undefined = undefined;
  private isLimited = false;

  constructor(
    private readonly options: StallMonitorOptions,
    private readonly listeners: StallListeners,
  ) {}

  /** A place to publish the head of one tier of one queue. There are 1 024; beyond that, `error` is called and the head is not watched. */
  head(queue: string, tier: string): SharedHead {
    const index = this.free.pop();
    if (index === undefined) this.fault(new Error(`only ${MAX_HEADS} heads can be watched during stalls`));
    const head = new SharedHead(this.memory, index, () => {
      this.heads.delete(head);
      if (index === undefined) return;
      this.free.push(index);
      this.thread?.send({ kind: "free", index });
    });
    this.heads.set(head, { queue, tier });
    this.announce(head);
    return head;
  }

  /** Can be called again. */
  start(): void {
    if (this.thread !== undefined) return;
    if (!process.getBuiltinModule("node:worker_threads").isMainThread) {
      this.limit("this is no main thread: its event loop is not watched for stalls");
      return;
    }
    if (otherRuntime() !== undefined) this.limitRuntime(limitOfRuntime());
    try {
      const thread = new MonitorThread(
        this.options,
        this.buffer,
        (news) => this.hear(news),
        (error) => this.fault(error),
      );
      this.thread = thread;
      thread.gone.then(() => {
        if (this.thread === thread) this.thread = undefined;
      });
      for (const head of this.heads.keys()) this.announce(head);
    } catch (error) {
      this.limit(`threads are not available (${codeOf(error)}): event-loop stalls are not watched`);
    }
  }

  /** Resolves when the thread is gone. Can be called again, and before the start. */
  async stop(): Promise<void> {
    const { thread } = this;
    this.thread = undefined;
    await thread?.end();
  }

  private announce(head: SharedHead): void {
    const names = this.heads.get(head)!;
    if (head.index !== undefined) this.thread?.send({ kind: "head", index: head.index, ...names });
  }

  private hear(news: News): void {
    const { listeners } = this;
    if (news.kind === "ready") this.call(() => listeners.ready?.());
    else if (news.kind === "stall") this.call(() => listeners.stall(news.stall));
    else if (news.kind === "breach") this.call(() => listeners.breach(news.breach));
    else if (news.kind === "limited") this.limit(news.reason);
    else this.fault(new Error(news.message));
  }

  /** The thread would give the same reason, less clearly. */
  private limitRuntime(reason: string | undefined): void {
    if (reason === undefined) this.isLimited = true;
    else this.limit(reason);
  }

  private limit(reason: string): void {
    if (this.isLimited) return;
    this.isLimited = true;
    if (this.options.print !== false) print(`queuescope: ${shown(reason, MAX_REASON)}`);
    this.call(() => this.listeners.limited?.(reason));
  }

  private call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.fault(error);
    }
  }

  private fault(error: unknown): void {
    try {
      this.listeners.error(error);
    } catch {
      // A throwing `error` listener is swallowed.
    }
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? errorLine(error);
}
