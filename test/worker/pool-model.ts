/** What the model knows of an item: how its handler ends, and when. */
export interface Item {
  readonly id: number;
  /** `held`: it goes on until the test ends it. The others end as soon as they begin. */
  readonly kind: "held" | "succeeds" | "throws";
}

interface Entry {
  readonly item: Item;
  readonly attempt: number;
}

export interface Running extends Entry {
  readonly startedAt: number;
  /** When its signal was, or will be, aborted. */
  abortedAt: number;
}

export interface Report {
  readonly operation: "drain" | "stop";
  readonly done: number;
  readonly failed: number;
  readonly leftOver: number;
  readonly abandoned: number;
  readonly timedOut: boolean;
}

interface Ending {
  readonly operation: "drain" | "stop";
  dueAt: number;
  readonly before: { done: number; failed: number };
  report: Report | undefined;
}

/** A pool on a FIFO queue as plain arrays: no promises, no timers. Time moves when it is told. */
export class PoolModel {
  readonly waiting: Entry[] = [];
  readonly delayed: (Entry & { readonly dueAt: number })[] = [];
  readonly running: Running[] = [];
  /** Every beginning of a handler, in order. */
  readonly log: string[] = [];
  readonly counts = { done: 0, failed: 0, retried: 0, deadLettered: 0 };
  readonly endings = new Map<"drain" | "stop", Ending>();
  accepted = 0;
  isOpen = true;
  private stage: "working" | "ending" | "stopped" = "working";
  private isTaking = true;
  private target: number;
  private now = 0;

  constructor(
    concurrency: number,
    private readonly attempts: number,
    private readonly delayMs: number,
    private readonly timeoutMs: number,
    private readonly stalledAfterMs: number,
  ) {
    this.target = concurrency;
  }

  put(items: readonly Item[]): void {
    for (const item of items) this.waiting.push({ item, attempt: 1 });
    this.accepted += items.length;
    this.go();
  }

  end(running: Running, isSuccess: boolean): void {
    this.running.splice(this.running.indexOf(running), 1);
    this.settle(running, isSuccess);
    this.go();
  }

  pause(): void {
    if (this.stage === "working") this.isTaking = false;
  }

  resume(): void {
    if (this.stage !== "working") return;
    this.isTaking = true;
    this.go();
  }

  resize(concurrency: number): void {
    if (this.stage !== "working") return;
    this.target = concurrency;
    this.go();
  }

  drain(timeoutMs: number): void {
    this.isOpen = false;
    if (this.stage === "working") this.isTaking = true;
    this.ask("drain", timeoutMs);
    this.go();
  }

  stop(graceMs: number): void {
    this.isTaking = false;
    this.ask("stop", graceMs);
    this.go();
  }

  advance(ms: number): void {
    this.now += ms;
    for (const entry of this.delayed.filter(({ dueAt }) => dueAt <= this.now)) {
      this.delayed.splice(this.delayed.indexOf(entry), 1);
      this.waiting.push(entry);
    }
    for (const ending of this.endings.values()) {
      if (ending.report === undefined && ending.dueAt <= this.now) this.giveUp(ending);
    }
    this.go();
  }

  isAborted({ abortedAt }: Running): boolean {
    return abortedAt <= this.now;
  }

  get states(): { idle: number; processing: number; stalled: number } {
    const stalled = this.running.filter(
      ({ abortedAt }) => abortedAt + this.stalledAfterMs <= this.now,
    ).length;
    const idle = this.stage === "stopped" ? 0 : Math.max(this.target - this.running.length, 0);
    return { idle, processing: this.running.length - stalled, stalled };
  }

  /** Begins what can begin, and ends the pool if that is it. */
  private go(): void {
    while (this.isTaking && this.running.length < this.target && this.waiting.length > 0) {
      const entry = this.waiting.shift()!;
      this.log.push(`${entry.item.id}#${entry.attempt}`);
      if (entry.item.kind === "held") {
        this.running.push({ ...entry, startedAt: this.now, abortedAt: this.now + this.timeoutMs });
      } else this.settle(entry, entry.item.kind === "succeeds");
    }
    if (this.running.length > 0 || this.stage === "stopped") return;
    const isFinished = !this.isOpen && this.waiting.length === 0 && this.delayed.length === 0;
    if (isFinished || (this.stage === "ending" && !this.isTaking)) this.stopped(0);
  }

  private settle({ item, attempt }: Entry, isSuccess: boolean): void {
    if (isSuccess) this.counts.done++;
    else if (attempt < this.attempts) {
      this.counts.retried++;
      this.delayed.push({ item, attempt: attempt + 1, dueAt: this.now + this.delayMs });
    } else this.counts.failed++;
  }

  private ask(operation: "drain" | "stop", limitMs: number): void {
    let ending = this.endings.get(operation);
    if (ending === undefined) {
      const { done, failed } = this.counts;
      ending = { operation, dueAt: Number.POSITIVE_INFINITY, before: { done, failed }, report: undefined };
      this.endings.set(operation, ending);
      if (this.stage === "stopped") this.report(ending, 0, false);
      else this.stage = "ending";
    }
    ending.dueAt = Math.min(ending.dueAt, this.now + limitMs);
  }

  private giveUp(ending: Ending): void {
    this.isTaking = false;
    for (const running of this.running) running.abortedAt = Math.min(running.abortedAt, this.now);
    this.report(ending, this.running.length, true);
    this.stopped(this.running.length);
  }

  private stopped(abandoned: number): void {
    this.stage = "stopped";
    this.isTaking = false;
    this.target = 0;
    for (const ending of this.endings.values()) {
      if (ending.report === undefined) this.report(ending, abandoned, false);
    }
  }

  private report(ending: Ending, abandoned: number, timedOut: boolean): void {
    const { operation, before } = ending;
    ending.report = {
      operation,
      done: this.counts.done - before.done,
      failed: this.counts.failed - before.failed,
      leftOver: this.waiting.length + this.delayed.length,
      abandoned,
      timedOut,
    };
  }
}
