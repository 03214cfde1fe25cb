import type { queue as Fastq } from "fastq";
import type { Adapter, Attachment, QueueTelemetry } from "../contracts.js";
import { type Claimant, listen } from "./handler.js";
import { Ledger } from "./ledger.js";
import { type Method, patch, type Replace } from "./patch.js";
import type { Task } from "./task.js";

type Done = (this: unknown, error: unknown, ...results: unknown[]) => void;
type Queue = Fastq & { paused: boolean };

/** Is the object built like a queue of fastq's? */
export function isFastq(queue: object): queue is Queue {
  const { push, unshift, getQueue, killAndDrain, running, length } = queue as Partial<Fastq>;
  const methods = [push, unshift, getQueue, killAndDrain, running, length];
  return methods.every((method) => typeof method === "function");
}

/** fastq, with callbacks or promises. */
export const fastq: Adapter<Queue> = {
  system: "fastq",
  tiersOf: () => ["default"],
  attach: (queue, telemetry) => new FastqAttachment(queue, telemetry),
};

/**
 * fastq hands bare items to a worker that nobody can get at, so the order of its queue is followed here. Whether a task was started
 * is told by the worker, if it is wrapped; else by how many are running.
 */
class FastqAttachment implements Attachment, Claimant {
  readonly tells = ["takes", "outcomes", "durations", "shutdown"] as const;
  readonly probe;
  private readonly ledger: Ledger;
  private readonly restores: (() => void)[];
  /** Tasks that were put at the front; the last one is served first, and all of them before the others. */
  private front: Task[] = [];
  /** The task that is being put: if there is a free worker, it gets it before the put returns. */
  private entering: Task | undefined = undefined;
  /** Tasks that were there before us: nobody tells when they are over. */
  private readonly adopted = new WeakSet<Task>();
  private runningStrangers: number;
  private isClaimed = false;

  constructor(
    private readonly queue: Queue,
    telemetry: QueueTelemetry,
  ) {
    this.ledger = new Ledger(telemetry);
    this.probe = this.ledger.probe({
      size: () => this.ledger.size,
      running: () => queue.running(),
      head: () => this.next(),
    });
    this.runningStrangers = queue.running();
    const hasPromises = typeof (queue as { drained?: unknown }).drained === "function";
    const put = hasPromises ? this.wrapPromisePut : this.wrapPut;
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

  claim(item: unknown, surely: boolean): Task | undefined {
    const task = this.entering ?? (surely ? undefined : this.next());
    if (task === undefined || !Object.is(task.item, item)) return undefined;
    this.isClaimed = true;
    this.entering = undefined;
    this.take(task);
    return task.stage === "running" ? task : undefined;
  }

  run(task: Task, handler: () => unknown): unknown {
    try {
      return this.ledger.run(task, handler);
    } catch (error) {
      this.ledger.settle(task, { error });
      throw error;
    }
  }

  private readonly wrapPut =
    (atFront: boolean) =>
    (original: Method): Method => {
      const attachment = this;
      return function put(this: unknown, item: unknown, done?: Done, ...more: unknown[]) {
        if (!attachment.ledger.isOpen) return original.call(this, item, done, ...more);
        return attachment.put(item, atFront, (task) => {
          const settle: Done = function (error, ...results) {
            attachment.settle(task, error);
            if (done) done.call(this, error, ...results);
            // fastq starts the next task when this returns.
            attachment.lookForStarts();
          };
          return original.call(this, item, settle, ...more);
        });
      };
    };

  private readonly wrapPromisePut =
    (atFront: boolean) =>
    (original: Method): Method => {
      const attachment = this;
      return function put(this: unknown, item: unknown, ...more: unknown[]) {
        if (!attachment.ledger.isOpen) return original.call(this, item, ...more);
        return attachment.put(item, atFront, (task) => {
          const promise = original.call(this, item, ...more) as Promise<unknown>;
          const settle = (error?: unknown) => {
            attachment.settle(task, error);
            attachment.lookForStarts();
          };
          // fastq itself marks the promise as handled, so that this hides no rejection from anybody.
          promise.then(() => settle(), settle);
          return promise;
        });
      };
    };

  private put(item: unknown, atFront: boolean, original: (task: Task) => unknown): unknown {
    const { ledger, queue } = this;
    const task = ledger.enter(item);
    const outer = this.entering;
    this.entering = task;
    const running = queue.running();
    try {
      return original(task);
    } catch (error) {
      // It was the worker that threw, and fastq counts its task as running for ever.
      if (!this.isClaimed && queue.running() > running) {
        this.take(task);
        ledger.settle(task, { error });
        this.runningStrangers++;
      }
      throw error;
    } finally {
      this.entering = outer;
      if (task.stage === "entering") {
        if (!this.isClaimed && queue.running() > running) this.take(task);
        else {
          ledger.entered(task);
          if (atFront) this.front.push(task);
        }
      }
    }
  }

  private settle(task: Task, error: unknown): void {
    if (task.stage === "entering" || task.stage === "waiting") this.take(task);
    this.ledger.settle(task, error ? { error } : undefined);
  }

  /** Without a wrapped worker, who runs is learnt from how many do. */
  private lookForStarts(): void {
    const { ledger, queue } = this;
    if (this.isClaimed || queue.paused || queue.running() > queue.concurrency) return;
    const running = queue.running();
    this.runningStrangers = Math.min(this.runningStrangers, Math.max(0, running - ledger.running.size));
    while (ledger.running.size + this.runningStrangers < running) {
      const task = this.next();
      if (task === undefined) return;
      this.take(task);
    }
  }

  /** The task that is served next. */
  private next(): Task | undefined {
    return this.front.at(-1) ?? this.ledger.oldest();
  }

  private take(task: Task): void {
    if (this.front.at(-1) === task) this.front.pop();
    this.ledger.take(task);
    if (!this.adopted.has(task)) return;
    this.ledger.forget(task);
    this.runningStrangers++;
  }

  private readonly wrapDropAll = (original: Method): Method => {
    const attachment = this;
    return function drop(this: unknown, ...args: unknown[]) {
      attachment.front = [];
      attachment.ledger.dropAll("shutdown");
      return original.apply(this, args);
    };
  };

  private readonly wrapResume = (original: Method): Method => {
    const attachment = this;
    return function resume(this: unknown, ...args: unknown[]) {
      const result = original.apply(this, args);
      attachment.lookForStarts();
      return result;
    };
  };
}
