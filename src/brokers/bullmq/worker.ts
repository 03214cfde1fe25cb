import { type Method, patch, type Replace } from "../../adapters/patch.js";
import { adopted, whenSettled } from "../../base/thenable.js";
import type { BrokerDelivery, BrokerHub } from "../../contracts/index.js";
import { type Client, isTracedElsewhere, type Job } from "./clients.js";
import { factsOf } from "./job-facts.js";
import { readerOf } from "./metadata.js";
import { handOn } from "./sandboxed.js";

/** A job that a worker has, from when it was taken until BullMQ is done with it. */
interface Turn {
  readonly delivery: BrokerDelivery;
  isHandled: boolean;
  /** What its handler has failed with. */
  failure: { readonly error: unknown } | undefined;
}

/** What a handler throws after it has put its job back itself; BullMQ knows them by name, too. */
const MOVED = new Set(["DelayedError", "WaitingError", "WaitingChildrenError"]);
/** The message of what a handler throws where its worker is to take no more jobs for now. */
const RATE_LIMITED = "bullmq:rateLimitExceeded";

/** Methods by which a job that was taken by hand is settled. */
const BY_HAND = {
  moveToCompleted: "success",
  moveToFailed: "failure",
  moveToDelayed: "moved",
  moveToWait: "moved",
  moveToWaitingChildren: "moved",
} as const;

/** Jobs that were taken by hand and are not settled, of all workers. */
const takenByHand = new WeakMap<object, { readonly hub: BrokerHub; readonly delivery: BrokerDelivery }>();

/**
 * Calls `handler` in the context of a job that was taken by `worker.getNextJob`: its trace and correlation ID, inside its `process` span, which
 * ends when the job is settled. Gives and throws what it does. A job that isn't known, as one that came before its worker was instrumented, has no context.
 *
 * @example
 * import { Worker } from "bullmq";
 * import { bullmq } from "queuescope/bullmq";
 *
 * const connection = { host: "127.0.0.1", port: 6379 };
 * const worker = instrument(new Worker("orders", null, { connection }), { adapter: bullmq() });
 * const job = await worker.getNextJob("my token", { block: false });
 * if (job) {
 *   const result = await handleJob(job, async () => console.log(job.data));
 *   await job.moveToCompleted(result, "my token", false);
 * }
 * await worker.close();
 */
export function handleJob<R>(job: object, handler: () => R): R {
  const known = takenByHand.get(job);
  return known === undefined ? handler() : known.hub.run(known.delivery, handler);
}

/** The lock of a job was gone when its outcome was to be written: the job is delivered again. */
function lockLost(job: Job): Error {
  const error = new Error(
    `the lock of job ${job.id} was lost: its outcome is discarded, and it is delivered again`,
  );
  return Object.assign(error, { name: "LockLostError", code: "lock_lost" });
}

/** Tells the hub what a worker takes, runs and settles. */
export class Consumer {
  private isOpen = true;
  private readonly isTracedElsewhere: boolean;
  private readonly turns = new WeakMap<Job, Turn>();
  private readonly queue: string;

  constructor(
    private readonly worker: Client,
    private readonly hub: BrokerHub,
  ) {
    this.isTracedElsewhere = isTracedElsewhere(worker, "callProcessJob");
    this.queue = worker.name!;
  }

  attach(): () => void {
    const restore = patch(this.worker, {
      processJob: this.wrapProcessJob,
      callProcessJob: this.wrapCallProcessJob,
      emit: this.wrapEmit,
      getNextJob: this.wrapGetNextJob,
    });
    return () => {
      this.isOpen = false;
      restore();
    };
  }

  /** The bracket: a job whose lock was lost, or that was stalled too often, gets no other call of ours, or no event. */
  private readonly wrapProcessJob: Replace = (original) => {
    const consumer = this;
    return function processJob(this: unknown, job: Job, ...more: unknown[]) {
      const turn = consumer.isOpen ? consumer.take(job) : undefined;
      if (turn === undefined) return original.call(this, job, ...more);
      consumer.turns.set(job, turn);
      const over = () => consumer.over(job, turn);
      let result: unknown;
      try {
        result = original.call(this, job, ...more);
      } catch (error) {
        over();
        throw error;
      }
      if (!whenSettled(result, over, over)) over();
      return result;
    };
  };

  private readonly wrapCallProcessJob: Replace = (original) => {
    const consumer = this;
    return function callProcessJob(this: unknown, job: Job, ...more: unknown[]) {
      const turn = consumer.turns.get(job);
      if (turn === undefined || turn.isHandled) return original.call(this, job, ...more);
      turn.isHandled = true;
      return consumer.hub.run(turn.delivery, () =>
        consumer.handle(turn, job, () => original.call(this, job, ...more)),
      );
    };
  };

  /** Events are seen where they are sent: the user may remove all listeners, and counts them. */
  private readonly wrapEmit: Replace = (original) => {
    const consumer = this;
    return function emit(this: unknown, event: unknown, ...args: unknown[]) {
      if (event === "completed" || event === "failed") consumer.heard(event, args[0], args[1]);
      return original.call(this, event, ...args);
    };
  };

  /** Of jobs that the user takes by hand there are no events. */
  private readonly wrapGetNextJob: Replace = (original) => {
    const consumer = this;
    return async function getNextJob(this: unknown, ...args: unknown[]) {
      const job = (await original.apply(this, args)) as Job | undefined;
      if (job !== undefined && consumer.isOpen) consumer.takeByHand(job);
      return job;
    };
  };

  private take(job: Job): Turn | undefined {
    try {
      const { hub } = this;
      const isScheduled = typeof job.repeatJobKey === "string";
      // All ticks of a scheduler have the carrier of its template: none of them is what was sent then.
      const read = readerOf(isScheduled ? undefined : job.opts?.telemetry?.metadata);
      return {
        delivery: hub.deliver(read, {
          ...factsOf(this.queue, job, isScheduled),
          isTracedElsewhere: this.isTracedElsewhere,
        }),
        isHandled: false,
        failure: undefined,
      };
    } catch (error) {
      this.hub.fault(this.queue, error);
      return undefined;
    }
  }

  private handle(turn: Turn, job: Job, handler: () => unknown): unknown {
    try {
      if (this.worker.childPool !== undefined) handOn(job, (error) => this.hub.fault(this.queue, error));
      // BullMQ awaits it, and what may begin only then is to begin once.
      const result = adopted(handler());
      whenSettled(
        result,
        () => {},
        (error) => {
          turn.failure = { error };
        },
      );
      return result;
    } catch (error) {
      turn.failure = { error };
      throw error;
    }
  }

  private heard(event: "completed" | "failed", job: unknown, error: unknown): void {
    const turn = this.turns.get(job as Job);
    if (turn === undefined) return;
    if (event === "completed") this.hub.settle(turn.delivery, "success");
    else this.settleFailed(turn, job as Job, error);
  }

  private settleFailed(turn: Turn, job: Job, error: unknown): void {
    const { hub } = this;
    // A job that was stalled too often fails without its handler: that is told by a span, too.
    if (!turn.isHandled) hub.run(turn.delivery, () => {});
    turn.isHandled = true;
    hub.settle(turn.delivery, job.finishedOn ? "failure" : "retry", error);
  }

  /** BullMQ is done with the job. If that isn't settled by now, its outcome was not written. */
  private over(job: Job, turn: Turn): void {
    this.turns.delete(job);
    const { hub, worker } = this;
    const { delivery, failure } = turn;
    if (delivery.isSettled) return;
    if (failure !== undefined && isMove(failure.error)) hub.settle(delivery, "moved");
    else if (worker.closing) hub.settle(delivery, "abandoned", failure?.error);
    else {
      hub.stale(delivery, "lock");
      hub.settle(delivery, "abandoned", lockLost(job));
    }
  }

  private takeByHand(job: Job): void {
    const turn = this.take(job);
    if (turn === undefined) return;
    takenByHand.set(job, { hub: this.hub, delivery: turn.delivery });
    try {
      for (const [name, how] of Object.entries(BY_HAND)) {
        if (name in job) patch(job, { [name]: this.wrapSettle(turn, job, how) });
      }
    } catch (error) {
      this.hub.fault(this.queue, error);
    }
  }

  private wrapSettle(turn: Turn, job: Job, how: "success" | "failure" | "moved"): Replace {
    const { hub } = this;
    return (original: Method) =>
      function (this: unknown, ...args: unknown[]) {
        const result: unknown = original.apply(this, args);
        whenSettled(
          result,
          (moved) => {
            // To wait for children that are all done already moves nothing.
            if (how === "moved" && moved === false) return;
            const [error] = args;
            if (how === "failure") hub.settle(turn.delivery, job.finishedOn ? "failure" : "retry", error);
            else hub.settle(turn.delivery, how);
          },
          (error) => {
            if (!/missing lock|lock mismatch/i.test(String((error as Error | undefined)?.message))) return;
            hub.stale(turn.delivery, "lock");
            hub.settle(turn.delivery, "abandoned", lockLost(job));
          },
        );
        return result;
      };
  }
}

function isMove(error: unknown): boolean {
  try {
    const { name, message } = error as Error;
    return MOVED.has(name) || message === RATE_LIMITED;
  } catch {
    return false;
  }
}
