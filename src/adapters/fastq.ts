import type { queue as Fastq } from "fastq";
import { isPlainPromise } from "../base/thenable.js";
import type { Adapter, Attachment, OpenContext, QueueTelemetry } from "../contracts/index.js";
import { type Claimant, listen, lostContext } from "./handler.js";
import { Ledger, prepared } from "./ledger.js";
import { type Method, patch, type Replace } from "./patch.js";
import { Task } from "./task.js";

type Done = (this: unknown, error: unknown, ...results: unknown[]) => void;
type Queue = Fastq & { paused: boolean };

/** Whether the object is built like a queue of fastq's. */
export function isFastq(queue: object): queue is Queue {
  const { push, unshift, getQueue, killAndDrain, running, length } = queue as Partial<Fastq>;
  const methods = [push, unshift, getQueue, killAndDrain, running, length];
  return methods.every((method) => typeof method === "function");
}

/** fastq, with callbacks or promises. */
export const fastq: Adapter<Queue> = {
  system: "fastq",
  asyncContext: "producer",
  tiersOf: () => ["default"],
  attach: (queue, telemetry) => new FastqAttachment(queue, telemetry),
};

class FastqTask extends Task {
  /** Whether its handler is over and fastq has yet to tell us about its promise. */
  declare isEnding: boolean;

  constructor(...given: ConstructorParameters<typeof Task>) {
    super(...given);
    this.isEnding = false;
  }
}

/**
 * fastq hands bare items to a worker that can't be reached, so the order of its queue is followed here. Whether a task was started
 * is told by the worker, if it is wrapped; else by how many are running.
 */
class FastqAttachment implements Attachment, Claimant {
  readonly capabilities = ["takes", "outcomes", "durations", "shutdown"] as const;
  readonly probe;
  private readonly ledger: Ledger<FastqTask>;
  private readonly hasPromises: boolean;
  private readonly restores: (() => void)[];
  /** Tasks that were put at the front; the last one is served first, and all of them before the others. */
  private front: FastqTask[] = [];
  /** The task that is being put: if there is a free worker, it gets it before the put returns. */
  private entering: FastqTask | undefined = undefined;
  /** Whether the wrapped worker tells when tasks start. */
  private isClaimed = false;
  /** Items that were there before us: their end is not told. */
  private readonly adopted = new Set<FastqTask>();
  /** How many of those are running, at most. */
  private strangers: number;
  /** How many slots are taken though their tasks are over: for ever, where a worker or a callback threw. */
  private stuck = 0;
  /** Whether there are other queues of the name. */
  private isShared = false;
  /**
   * Tasks that were put at the front so lately that we may have yet to hear of ends that were before that. Microtasks are served in the
   * order in which they were asked for, so what we hear of an end before that of such a task's own was earlier than its put.
   */
  private readonly recent = new Set<FastqTask>();
  /** Whether the next task is about to start, at the moment when another one was over, with nothing in between. */
  private startsNow = false;
  /** How many handlers are over whose promises fastq has yet to tell us about: the next task may have started meanwhile. */
  private ending = 0;

  constructor(
    private readonly queue: Queue,
    private readonly telemetry: QueueTelemetry,
  ) {
    this.ledger = new Ledger(telemetry, FastqTask);
    this.probe = this.ledger.probe({
      size: () => {
        this.catchUp();
        return this.ledger.size;
      },
      running: () => queue.running(),
      head: () => {
        this.catchUp();
        return this.next();
      },
      isPaused: () => queue.paused,
    });
    this.strangers = queue.running();
    this.hasPromises = typeof (queue as { drained?: unknown }).drained === "function";
    const put = this.hasPromises ? this.wrapPromisePut : this.wrapPut;
    const methods: Record<string, Replace> = {
      push: put(false),
      unshift: put(true),
      kill: this.wrapDropAll,
      killAndDrain: this.wrapDropAll,
      resume: this.wrapResume,
    };
    if ("abort" in queue) methods.abort = this.wrapDropAll;
    this.restores = [patch(queue, methods), listen(telemetry.queueName, this)];
    for (const item of queue.getQueue()) this.adopted.add(this.ledger.adopt(item));
  }

  detach(): void {
    this.ledger.close();
    for (const restore of this.restores) restore();
  }

  claim(item: unknown, surely: boolean): FastqTask | undefined {
    const now = this.startsNow ? this.ledger.settledAt : undefined;
    this.startsNow = false;
    if (surely) this.isShared = true;
    const task = this.entering ?? (this.mayStart(surely) ? this.next() : undefined);
    if (task === undefined || !Object.is(task.item, item)) return undefined;
    this.isClaimed = true;
    this.entering = undefined;
    this.take(task, now);
    return task.stage === "running" ? task : undefined;
  }

  open(task: FastqTask): OpenContext {
    return this.ledger.open(task);
  }

  returned(task: FastqTask, result: unknown, opened: OpenContext): unknown {
    if (!this.hasPromises) return result;
    if (this.isShared && isPlainPromise(result)) this.foreseeEnd(task, result);
    return prepared(result, opened, "listened");
  }

  threw(task: FastqTask, error: unknown): void {
    if (task.stage === "over") return;
    this.stuck++;
    this.started(task);
    this.over(task, { error });
  }

  private readonly wrapPut =
    (atFront: boolean) =>
    (original: Method): Method => {
      const attachment = this;
      return function put(this: unknown, item: unknown, done?: Done, ...more: unknown[]) {
        if (!attachment.ledger.isOpen) return original.call(this, item, done, ...more);
        const task = attachment.enter(item, atFront);
        const settle: Done = function (error, ...results) {
          const holdsSlot = task.stage !== "over";
          attachment.settle(task, error);
          if (holdsSlot) attachment.stuck++;
          // The name is in the error if it is no function.
          const callback = done;
          if (callback) callback.call(this, error, ...results);
          if (holdsSlot) attachment.stuck--;
          if (!attachment.isClaimed) attachment.foresee();
          else if (!callback) attachment.foreseeStart();
        };
        return attachment.put(task, atFront, this, original, settle, more);
      };
    };

  private readonly wrapPromisePut =
    (atFront: boolean) =>
    (original: Method): Method => {
      const attachment = this;
      return function put(this: unknown, item: unknown, ...more: unknown[]) {
        if (!attachment.ledger.isOpen) return original.call(this, item, ...more);
        const task = attachment.enter(item, atFront);
        const promise = attachment.put(task, atFront, this, original, undefined, more) as Promise<unknown>;
        // fastq itself marks the promise as handled, so that this hides no rejection from its user.
        promise.then(
          () => attachment.settlePromised(task, undefined),
          (error) => attachment.settlePromised(task, error),
        );
        return promise;
      };
    };

  private enter(item: unknown, atFront: boolean): FastqTask {
    // From here on the order is another.
    if (atFront) this.catchUp();
    return this.ledger.enter(item);
  }

  private put(
    task: FastqTask,
    atFront: boolean,
    self: unknown,
    original: Method,
    settle: Done | undefined,
    more: unknown[],
  ): unknown {
    const { ledger, queue } = this;
    const outer = this.entering;
    this.entering = task;
    const running = queue.running();
    try {
      if (more.length > 0) return original.call(self, task.item, ...(settle ? [settle] : []), ...more);
      return original.call(self, task.item, settle);
    } catch (error) {
      // It was the worker that threw, or else the item may be in nonetheless.
      if (queue.running() > running) this.threw(task, error);
      else if (!this.isIn(task)) ledger.refused(task, error);
      throw error;
    } finally {
      this.entering = outer;
      if (task.stage === "entering") {
        if (!this.isClaimed && queue.running() > running) this.take(task);
        else {
          ledger.entered(task);
          if (atFront) this.putAtFront(task);
        }
      }
    }
  }

  /** fastq has thrown in a put: is the item in the queue? Counts those that are. */
  private isIn(task: FastqTask): boolean {
    if (task.stage !== "entering") return true;
    this.catchUp();
    return this.ledger.size <= this.queue.length();
  }

  private settle(task: FastqTask, error: unknown): void {
    if (task.stage !== "running") this.started(task);
    this.over(task, error ? { error } : undefined);
  }

  private settlePromised(task: FastqTask, error: unknown): void {
    this.settle(task, error);
    if (!this.isClaimed) this.catchUp(false, this.nextBefore);
  }

  private over(task: FastqTask, failure: { readonly error: unknown } | undefined): void {
    if (task.isEnding && task.stage === "running") this.ending--;
    // What needn't wait is handled on the stack of its put.
    if (!this.isClaimed && task.stage === "running" && task.waitMs > 0) lostContext(this.telemetry);
    this.ledger.settle(task, failure);
  }

  /** The task was started at some time, and before it who stood before it. */
  private started(task: FastqTask): void {
    while (task.stage === "waiting") this.take(this.nextBefore()!);
    this.take(task);
  }

  /**
   * Without a wrapped worker, who was started is learnt from how many run. Strangers end unseen, so while there are any it takes a
   * count of those that wait, which takes as long as the queue is; and so it does, to be `surely` up to date, where the end of a promise is
   * told after the next task has started.
   */
  private catchUp(surely = false, next: () => FastqTask | undefined = this.next): void {
    const { ledger, queue } = this;
    if (this.isClaimed || !ledger.isOpen) return;
    // Soon there are no strangers left.
    if (this.adopted.size + this.strangers > 0) this.takeUpTo(queue.length(), this.next);
    const running = queue.running() - this.stuck;
    this.strangers = Math.min(this.strangers, Math.max(0, running - ledger.running.size));
    while (ledger.running.size + this.strangers < running && ledger.size > 0) this.take(next()!);
    if (surely) this.takeUpTo(queue.length(), this.nextBefore);
  }

  /** So many wait, no more. */
  private takeUpTo(most: number, next: () => FastqTask | undefined): void {
    while (this.ledger.size > most) this.take(next()!);
  }

  private putAtFront(task: FastqTask): void {
    this.front.push(task);
    if (!this.hasPromises || this.isClaimed || this.queue.running() === 0) return;
    this.recent.add(task);
    queueMicrotask(() => this.recent.delete(task));
  }

  /** fastq is about to start the next task, in the place of one that is done. */
  private foresee(): void {
    if (!this.queue.paused && this.queue.running() <= this.queue.concurrency) this.catchUp();
  }

  /** As fastq itself decides whether to start another one at once; then it calls the worker, and reading the clock once will do. */
  private foreseeStart(): void {
    const { queue, ledger } = this;
    this.startsNow =
      !this.isShared && !queue.paused && ledger.size > 0 && queue.running() <= queue.concurrency;
  }

  /** Whether the queue may be starting a task at this moment; it surely is if more are running than we know of. */
  private mayStart(surely: boolean): boolean {
    const { queue, ledger, strangers, stuck, ending } = this;
    return !queue.paused && (!surely || queue.running() > ledger.running.size - ending + strangers + stuck);
  }

  /** With promises, fastq starts the next task before it tells that one is over. */
  private foreseeEnd(task: FastqTask, result: Promise<unknown>): void {
    const over = () => {
      if (task.stage !== "running") return;
      this.ending++;
      task.isEnding = true;
    };
    Promise.prototype.then.call(result, over, over);
  }

  /** The task that is served next. */
  private readonly next = (): FastqTask | undefined =>
    this.front.length === 0 ? this.ledger.oldest() : this.front.at(-1);

  /** The one that was, before the latest ones came to the front. */
  private readonly nextBefore = (): FastqTask | undefined => {
    const { front, recent } = this;
    if (recent.size === 0) return this.next();
    let place = front.length - 1;
    while (place >= 0 && recent.has(front[place]!)) place--;
    const before = front[place] ?? this.ledger.oldest();
    return before !== undefined && recent.has(before) ? front.at(-1) : before;
  };

  private take(task: FastqTask, now?: number): void {
    if (this.front.length > 0) this.leaveFront(task);
    this.ledger.take(task, now);
    if (this.adopted.size === 0 || !this.adopted.delete(task)) return;
    this.ledger.forget(task);
    this.strangers++;
  }

  private leaveFront(task: FastqTask): void {
    const place = this.front.lastIndexOf(task);
    if (place >= 0) this.front.splice(place, 1);
  }

  private readonly wrapDropAll = (original: Method): Method => {
    const attachment = this;
    return function drop(this: unknown, ...args: unknown[]) {
      attachment.catchUp(true);
      attachment.front = [];
      attachment.adopted.clear();
      attachment.ledger.dropAll("shutdown");
      return original.apply(this, args);
    };
  };

  private readonly wrapResume = (original: Method): Method => {
    const attachment = this;
    return function resume(this: unknown, ...args: unknown[]) {
      const result = original.apply(this, args);
      attachment.catchUp();
      return result;
    };
  };
}
