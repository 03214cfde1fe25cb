import async from "async";
import fc from "fast-check";
import type { Comparison } from "./differential.js";
import { callback, item, Things } from "./items.js";
import { asJson, inherited, type Operation, operation } from "./operation.js";
import { type Session, type Subject, scriptOf } from "./session.js";
import type { Side } from "./sides.js";
import { calling, returning, workerOf } from "./workers.js";

/** What we use of a queue of async, which brings no types. */
interface AsyncQueue extends Iterable<unknown> {
  [method: string]: (...args: unknown[]) => unknown;
}
interface Task {
  readonly data: unknown;
  readonly priority?: unknown;
  readonly callback: unknown;
}

const EVENTS = ["drain", "empty", "saturated", "unsaturated", "error"] as const;
const follows = fc.boolean();
const priority = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1, max: 2 }) },
  fc.constantFrom(undefined, "1"),
);

const op = fc.oneof(
  {
    weight: 20,
    arbitrary: operation("put", {
      how: fc.constantFrom("push", "push", "pushAsync", "unshift", "unshiftAsync"),
      items: fc.oneof({ weight: 3, arbitrary: item }, fc.array(item, { maxLength: 3 })),
      priority,
      callback,
      isDetached: fc.boolean(),
      follows,
    }),
  },
  {
    weight: 2,
    arbitrary: operation("remove", { which: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: operation("kill", {}) },
  { weight: 2, arbitrary: operation("pause", {}) },
  { weight: 4, arbitrary: operation("resume", {}) },
  { weight: 1, arbitrary: operation("process", {}) },
  {
    weight: 4,
    arbitrary: operation("on", { event: fc.constantFrom(...EVENTS), promised: fc.boolean(), follows }),
  },
  {
    weight: 2,
    arbitrary: operation("set", {
      values: fc.oneof(
        fc.record({ concurrency: fc.constantFrom(1, 2, 3, 0, Number.POSITIVE_INFINITY) }),
        fc.record({ buffer: fc.constantFrom(0, 1, 2) }),
      ),
    }),
  },
);
type Op = Operation<typeof op>;

const config = fc.record({
  kind: fc.constantFrom("queue", "queue", "priorityQueue"),
  concurrency: fc.constantFrom(1, 1, 2, 3, undefined),
  work: fc.oneof(
    calling,
    returning.map((work) => ({ ...work, style: "an async function" as const })),
  ),
});
type Config = Operation<typeof config>;

class AsyncSubject implements Subject<Op> {
  private readonly things: Things;
  private readonly queue: AsyncQueue;
  private isWhole = true;
  private readonly worker: (...args: never[]) => unknown;

  constructor(
    private readonly config: Config,
    private readonly side: Side,
    private readonly session: Session<never>,
  ) {
    this.things = new Things(session, (self) => (isTask(self) ? this.parts(self) : self));
    this.worker = side.worker(workerOf(config.work, session));
    const library = async as unknown as Record<string, (...args: unknown[]) => object>;
    const queue = library[config.kind]!(this.worker, config.concurrency);
    this.queue = side.queue(session.transcript.name(queue, "queue")) as AsyncQueue;
  }

  perform(op: Op): unknown {
    const { queue, things } = this;
    switch (op.do) {
      case "put": {
        const items = Array.isArray(op.items)
          ? op.items.map((each) => things.item(each))
          : things.item(op.items);
        const between = this.config.kind === "queue" ? [] : [op.priority];
        const args = [items, ...between, ...things.callback(op.callback)];
        const put = queue[op.how];
        return op.isDetached && put !== undefined ? put(...args) : queue[op.how]!(...args);
      }
      case "remove":
        return this.remove(op.which);
      case "on":
        return queue[op.event]!(...(op.promised ? [] : [things.function(`${op.event} handler`)]));
      case "set":
        return Object.assign(queue, op.values) === queue;
      default:
        return queue[op.do]!();
    }
  }

  brief(): string {
    return `${this.queue.length!()} wait, ${this.queue.running!()} run`;
  }

  sight(): object {
    const { queue, worker } = this;
    const running = queue.workersList!() as Task[];
    return {
      worker,
      idle: queue.idle!(),
      queued: [...queue],
      running: running.map((task) => this.parts(task)),
      keepsList: queue.workersList!() === running,
      fields: { ...queue, _tasks: undefined },
      inherited: inherited(queue),
      json: asJson(queue),
      events: EVENTS.map((event) => queue[event]),
    };
  }

  isIdle(): boolean {
    return this.queue.idle!() as boolean;
  }

  changeSides(): void {
    this.isWhole = false;
    this.side.changeSides(this.queue);
  }

  release(): void {
    Object.assign(this.queue, { concurrency: 10 });
    this.queue.resume!();
  }

  /** The user's test does nothing to the queue: that breaks the list, and async then runs on for ever. */
  private remove(which: readonly boolean[]): unknown {
    const { transcript } = this.session;
    let asked = 0;
    return this.queue.remove!((...args: unknown[]) => {
      transcript.note(`remove? ${args.length} ${transcript.words(this.parts(args[0] as Task))}`);
      return which[asked++ % which.length];
    });
  }

  /**
   * What async keeps of an item, without its neighbours, and known by name. Who uninstruments a queue may see that what is running
   * just then was wrapped: it is followed to its end.
   */
  private parts(task: Task): unknown {
    const { data, priority, callback } = task;
    const parts = { keys: Object.keys(task), data, priority };
    return this.isWhole ? { task: this.session.transcript.name(task, "task"), ...parts, callback } : parts;
  }
}

function isTask(self: unknown): self is Task {
  return typeof self === "object" && self !== null && "data" in self && "callback" in self;
}

export const asyncPlay: Comparison<Config, Op> = {
  config,
  script: scriptOf(op, 60),
  create: (config, side, session) => new AsyncSubject(config, side, session),
};
