import { randomId } from "../../base/random-id.js";
import type { BrokerHub, OpenedQueue, OutgoingMessage, TakenMessage } from "../../contracts/index.js";
import type { BullClient, Job, JobOptions } from "./clients.js";
import { factsOf } from "./job-facts.js";
import { readerOf } from "./metadata.js";

/** A job that was taken by hand, as far as it is used. */
interface TakenJob extends Job {
  readonly data: unknown;
  opts: JobOptions;
  extendLock(token: string, durationMs: number): Promise<unknown>;
  moveToCompleted(result: unknown, token: string, fetchNext: false): Promise<unknown>;
  moveToFailed(error: Error, token: string, fetchNext: false): Promise<unknown>;
  moveToWait?(token: string): Promise<unknown>;
  moveToDelayed(timestamp: number, token: string): Promise<unknown>;
}

interface Producing extends BullClient {
  add(name: string, data: unknown, options: object): Promise<unknown>;
  addBulk(jobs: readonly { name: string; data: unknown; opts: object }[]): Promise<unknown>;
  waitUntilReady(): Promise<unknown>;
  on(event: "error", listener: () => void): unknown;
}

interface Consuming extends BullClient {
  getNextJob(token: string): Promise<TakenJob | undefined>;
  startStalledCheckTimer(): Promise<void>;
  waitUntilReady(): Promise<unknown>;
  on(event: "error", listener: () => void): unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: the options of two majors
type Class<A extends unknown[]> = new (...args: [...A, options: any]) => object;

/** What is needed of the package bullmq to open queues. */
export interface OpeningClasses {
  readonly Queue: Class<[name: string]>;
  readonly Worker: Class<[name: string, processor: null]>;
}

export interface Opening {
  readonly queue: string;
  readonly hub: BrokerHub;
  readonly came: (message: TakenMessage) => void;
  readonly classes: OpeningClasses;
  /** What the classes are given. */
  readonly connection: object;
  /** How long a job's lock lasts, in milliseconds. */
  readonly lockMs: number;
  /** Tells the hub what a client sends, and lets the adapter ask by it. */
  attach(client: BullClient): () => void;
}

/** BullMQ's own limits. */
const MAX_PRIORITY = 2_097_152;
/** A job whose process has died so often is failed by BullMQ. */
const MAX_STALLED = 20;
/** After a failure, or where BullMQ gives nothing at once, in milliseconds. */
const PAUSE_MS = 500;

/** A queue of BullMQ, with a `Queue` and a `Worker` of its own, whose jobs are taken one by one, and whose locks are kept. */
export class OpenedBullMQ implements OpenedQueue {
  readonly maxPriority = MAX_PRIORITY;
  private readonly token = randomId();
  private readonly producer: Producing;
  private readonly consumer: Consuming;
  private readonly detach: () => void;
  private readonly held = new Set<TakenJob>();
  private readonly renewing: NodeJS.Timeout;
  private most = 0;
  private isTaking = false;
  /** Jobs of workers that died come back only where that is looked for. */
  private isLookingAfter = false;
  private isClosed = false;

  private constructor(private readonly opening: Opening) {
    const { classes, queue, connection, lockMs } = opening;
    this.producer = new classes.Queue(queue, { connection }) as Producing;
    this.consumer = new classes.Worker(queue, null, {
      // What waits for jobs waits for Redis, too; BullMQ warns of anything else.
      connection: { ...connection, maxRetriesPerRequest: null },
      autorun: false,
      lockDuration: lockMs,
      stalledInterval: lockMs,
      maxStalledCount: MAX_STALLED,
      // What is done is gone; what has failed stays, to be looked at.
      removeOnComplete: { count: 0 },
    }) as Consuming;
    // Each failure is one of a call, too.
    for (const client of [this.producer, this.consumer]) client.on("error", () => {});
    this.detach = opening.attach(this.producer);
    this.renewing = setInterval(() => this.renew(), lockMs / 3);
    this.renewing.unref();
  }

  static async open(opening: Opening): Promise<OpenedBullMQ> {
    const opened = new OpenedBullMQ(opening);
    try {
      await Promise.all([opened.producer.waitUntilReady(), opened.consumer.waitUntilReady()]);
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    const { queue } = this.opening;
    const [first] = messages;
    if (messages.length === 1) await this.producer.add(queue, first!.item, optionsOf(first!));
    else {
      const jobs = messages.map((message) => ({ name: queue, data: message.item, opts: optionsOf(message) }));
      await this.producer.addBulk(jobs);
    }
  }

  take(most: number): void {
    if (most > 0 && !this.isLookingAfter) {
      this.isLookingAfter = true;
      this.consumer.startStalledCheckTimer().catch(() => {});
    }
    this.most = most;
    void this.takeMore();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.renewing);
    this.detach();
    // Nothing of ours is waited for: what is to be written has been, or can't be.
    await Promise.allSettled([this.consumer.close(true as never), this.producer.close()]);
  }

  private async takeMore(): Promise<void> {
    if (this.isTaking) return;
    this.isTaking = true;
    while (!this.isClosed && this.held.size < this.most) {
      const askedAt = performance.now();
      let job: TakenJob | undefined;
      try {
        job = await this.consumer.getNextJob(this.token);
      } catch {
        // Redis is away: its client tries again.
      }
      if (job !== undefined) this.took(job);
      // Else it has waited for one, unless the queue is paused or limited, or Redis is away.
      else if (performance.now() - askedAt < PAUSE_MS) await pause(PAUSE_MS);
    }
    this.isTaking = false;
  }

  private took(job: TakenJob): void {
    const { hub, queue, came } = this.opening;
    const isScheduled = typeof job.repeatJobKey === "string";
    this.held.add(job);
    const delivery = hub.deliver(readerOf(isScheduled ? undefined : job.opts?.telemetry?.metadata), {
      ...factsOf(queue, job, isScheduled),
      // A job that was given back was taken, and not tried.
      attempt: job.attemptsMade + 1 + (job.stalledCounter ?? 0),
    });
    const { token } = this;
    came({
      delivery,
      read: () => job.data,
      done: () => this.settle(job, () => job.moveToCompleted(null, token, false)),
      failed: (error) => this.settle(job, () => job.moveToFailed(final(error), token, false)),
      retry: (delayMs, error) =>
        this.settle(job, () => {
          // BullMQ reads there how often it is to be tried, and when: what the caller says counts.
          job.opts = { ...job.opts, ...retryOptions(job, delayMs) };
          return job.moveToFailed(asError(error), token, false);
        }),
      giveBack: () => this.settle(job, () => job.moveToWait?.(token) ?? job.moveToDelayed(Date.now(), token)),
    });
  }

  private async settle(job: TakenJob, write: () => Promise<unknown>): Promise<void> {
    this.held.delete(job);
    void this.takeMore();
    try {
      await write();
    } catch (error) {
      if (!/missing lock|lock mismatch/i.test(String((error as Error | undefined)?.message))) throw error;
      throw Object.assign(new Error(`the lock of job ${job.id} was lost: it is delivered again`), {
        name: "LockLostError",
        code: "lock_lost",
      });
    }
  }

  private renew(): void {
    // What is lost shows when it is settled.
    for (const job of this.held) job.extendLock(this.token, this.opening.lockMs).catch(() => {});
  }
}

function optionsOf({ priority, delayMs }: OutgoingMessage): object {
  return { ...(delayMs > 0 ? { delay: delayMs } : {}), ...(priority === undefined ? {} : { priority }) };
}

function retryOptions({ attemptsMade }: Job, delayMs: number): object {
  return { attempts: attemptsMade + 2, backoff: { type: "fixed", delay: Math.ceil(delayMs) } };
}

/** As BullMQ knows an error after which nothing is tried again. */
function final(error: unknown): Error {
  const failure = asError(error);
  return Object.assign(new Error(failure.message), {
    name: "UnrecoverableError",
    stack: failure.stack ?? "",
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
