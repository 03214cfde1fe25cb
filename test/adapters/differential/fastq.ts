import fc from "fast-check";
import fastq from "fastq";
import type { Comparison } from "./differential.js";
import { callback, item, Things } from "./items.js";
import { asJson, inherited, maybe, type Operation, operation } from "./operation.js";
import { type Session, type Subject, scriptOf } from "./session.js";
import type { Side } from "./sides.js";
import { calling, returning, workerOf } from "./workers.js";

const follows = fc.boolean();

const op = fc.oneof(
  {
    weight: 20,
    arbitrary: operation("put", {
      how: fc.constantFrom("push", "push", "push", "unshift"),
      item,
      callback,
      via: fc.constantFrom("method", "method", "method", "detached", "forEach"),
      follows,
    }),
  },
  { weight: 2, arbitrary: operation("pause", {}) },
  { weight: 4, arbitrary: operation("resume", {}) },
  {
    weight: 1,
    arbitrary: fc.oneof(operation("kill", {}), operation("killAndDrain", {}), operation("abort", {})),
  },
  {
    weight: 2,
    arbitrary: operation("concurrency", { value: fc.constantFrom(1, 2, 3, 0, -1, Number.NaN, "2") }),
  },
  {
    weight: 3,
    arbitrary: operation("assign", {
      event: fc.constantFrom("drain", "empty", "saturated"),
      asynchronous: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: operation("error", { handles: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.oneof(operation("getQueue", {}), operation("idle", {}), operation("drain", {})),
  },
  { weight: 2, arbitrary: operation("drained", {}) },
);
type Op = Operation<typeof op>;

const common = {
  concurrency: fc.integer({ min: 1, max: 3 }),
  context: maybe(fc.constantFrom("an object", 7)),
};
const config = fc.oneof(
  fc.record({ ...common, make: fc.constant("callback"), work: calling }),
  fc.record({ ...common, make: fc.constant("promise"), work: returning }),
);
type Config = Operation<typeof config>;

class FastqSubject implements Subject<Op> {
  private readonly things: Things;
  private readonly queue: fastq.queue & { drained?: () => Promise<void> };
  private resumes = 0;
  private readonly worker: (...args: never[]) => unknown;

  constructor(
    { concurrency, context, make, work }: Config,
    private readonly side: Side,
    session: Session<never>,
  ) {
    this.things = new Things(session);
    this.worker = side.worker(workerOf(work, session));
    const library = (make === "callback" ? fastq : fastq.promise) as (...args: never[]) => object;
    const of = context === "an object" ? [session.transcript.name({}, "context")] : context === 7 ? [7] : [];
    const queue = library(...([...of, this.worker, concurrency] as never[]));
    this.queue = side.queue(session.transcript.name(queue, "queue")) as never;
  }

  perform(op: Op): unknown {
    const { queue, things } = this;
    switch (op.do) {
      case "put": {
        const put = queue[op.how] as (...args: unknown[]) => unknown;
        const args = [things.item(op.item), ...things.callback(op.callback)];
        if (op.via === "method") return put.apply(queue, args);
        // What does not need `this` is also called without it, and with what an array adds.
        if (op.via === "detached") return put(...args);
        return args.slice(0, 1).map(put);
      }
      case "pause":
        return this.resumes > 0 || queue.pause();
      case "resume":
        return this.resume(() => queue.resume());
      case "concurrency":
        return this.resume(() => Reflect.set(queue, "concurrency", op.value));
      case "assign": {
        const handler = things.function(`${op.event} handler`, op.asynchronous ? Promise.resolve() : 1);
        queue[op.event] = handler;
        return queue[op.event] === handler;
      }
      case "error":
        return queue.error((op.handles ? things.function("error handler") : null) as never);
      default:
        return queue[op.do]!();
    }
  }

  /** fastq never comes back from this if a task pauses the queue meanwhile. */
  private resume(fn: () => unknown): unknown {
    this.resumes++;
    try {
      return fn();
    } finally {
      this.resumes--;
    }
  }

  brief(): string {
    return `${this.queue.length()} wait, ${this.queue.running()} run`;
  }

  sight(): object {
    const { queue, worker } = this;
    return {
      worker,
      queued: queue.getQueue(),
      idle: queue.idle(),
      fields: { ...queue },
      inherited: inherited(queue),
      json: asJson(queue),
    };
  }

  isIdle(): boolean {
    return this.queue.idle();
  }

  changeSides(): void {
    this.side.changeSides(this.queue);
  }

  release(): void {
    this.resume(() => Object.assign(this.queue, { concurrency: 10 }).resume());
  }
}

export const fastqPlay: Comparison<Config, Op> = {
  config,
  script: scriptOf(op, 60),
  create: (config, side, session) => new FastqSubject(config, side, session),
};
