import { getEventListeners, setMaxListeners } from "node:events";
import PQueue, { PriorityQueue } from "p-queue";
import type { Comparison } from "./differential.js";
import { asJson, inherited } from "./operation.js";
import { type Config, config, type EVENTS, type Op, op } from "./p-queue-ops.js";
import { carryOut, type Plan } from "./plans.js";
import { type Session, type Subject, scriptOf } from "./session.js";
import type { Side } from "./sides.js";

type Event = (typeof EVENTS)[number];

class PQueueSubject implements Subject<Op> {
  private readonly queue: PQueue;
  private readonly controllers: AbortController[];
  private readonly listeners: [event: Event, listener: () => void][] = [];
  private readonly sharedTask: () => unknown;

  constructor(
    { options, rate, ownClass }: Config,
    private readonly side: Side,
    private readonly session: Session<never>,
  ) {
    this.controllers = [this.controller(), this.controller()];
    const queueClass = ownClass ? this.queueClass() : PriorityQueue;
    this.queue = side.queue(new PQueue({ ...options, ...rate, queueClass }));
    session.transcript.name(this.queue, "queue");
    if (!isEmitter(this.queue)) setMaxListeners(0, this.queue as EventTarget);
    this.sharedTask = this.task({ how: "later", ms: 3 });
  }

  perform(op: Op): unknown {
    const { queue, controllers } = this;
    switch (op.do) {
      case "add": {
        const task = op.shared ? this.sharedTask : this.task(op.plan);
        const options = this.options(op.options);
        return options === undefined ? queue.add(task) : queue.add(task, options);
      }
      case "addAll":
        return queue.addAll(
          op.plans.map((plan) => this.task(plan)),
          this.options(op.options),
        );
      case "add what is no function":
        return queue.add(op.value as never, this.options(op.options));
      case "setPriority":
        return queue.setPriority(op.id, op.priority as number);
      case "pause":
      case "start":
      case "clear":
        return queue[op.do]();
      case "set":
        return Object.assign(queue, op.values);
      case "wait":
        return queue[op.which](op.limit);
      case "listen":
        return this.listen(op.event, op.once);
      case "stop listening": {
        const index = this.listeners.findIndex(([event]) => event === op.event);
        const [found] = index === -1 ? [] : this.listeners.splice(index, 1);
        if (isEmitter(queue)) return queue.off(op.event, found?.[1]);
        return (queue as EventTarget).removeEventListener(op.event, found?.[1] as never);
      }
      case "emit":
        if (isEmitter(queue)) return queue.emit(op.event as never, "by the user" as never);
        return (queue as EventTarget).dispatchEvent(new CustomEvent(op.event, { detail: "by the user" }));
      case "abort": {
        const controller = controllers[op.signal]!;
        if (op.renews) controllers[op.signal] = this.controller();
        return controller.abort(this.session.transcript.error());
      }
    }
  }

  brief(): string {
    const { size, pending } = this.queue;
    return `${size} wait, ${pending} run`;
  }

  sight(isOver: boolean): object {
    const { queue } = this;
    const { isPaused, isSaturated, isRateLimited, concurrency, timeout, runningTasks } = queue;
    return {
      ...{ isPaused, isSaturated, isRateLimited, concurrency, timeout, runningTasks },
      sizes: [0, 1, 2, -1].map((each) => queue.sizeBy({ priority: each })),
      // How many listeners an event target has is up to the garbage collector.
      events: isEmitter(queue) && queue.eventNames().map((event) => [event, queue.listenerCount(event)]),
      // A wrapped queue listens to each signal, too, but not for longer than it must.
      signals:
        isOver &&
        this.isIdle() &&
        this.controllers.map(({ signal }) => getEventListeners(signal, "abort").length),
      keys: Object.keys(queue),
      // An own `emit` or `dispatchEvent` that is not enumerable hides the inherited one, which is; there is no way around that.
      inherited: inherited(queue).filter((key) => key !== "emit" && key !== "dispatchEvent"),
      json: asJson(queue),
      isPQueue: queue instanceof PQueue,
      methods: [queue.add, queue.addAll, queue.clear, queue.setPriority, queue.emit, queue.on, queue.start],
    };
  }

  isIdle(): boolean {
    return this.queue.size + this.queue.pending === 0;
  }

  changeSides(): void {
    this.side.changeSides(this.queue);
  }

  release(): void {
    this.queue.concurrency = 10;
    this.queue.start();
  }

  private task(plan: Plan) {
    const { session } = this;
    const { transcript } = session;
    const name = transcript.nextName("task");
    return function (this: unknown, ...args: unknown[]) {
      transcript.note(`${name} starts with ${transcript.words(args)} on ${transcript.words(this)}`);
      session.reenter();
      return carryOut(plan, session) as Promise<unknown>;
    };
  }

  private options(options: Record<string, unknown> | undefined) {
    if (options === undefined) return undefined;
    const { signal } = options;
    const real =
      typeof signal === "number" ? { ...options, signal: this.controllers[signal]!.signal } : options;
    return Object.freeze(real) as Parameters<PQueue["add"]>[1];
  }

  private listen(event: Event, once: boolean): unknown {
    const { queue, session } = this;
    const { transcript } = session;
    const name = transcript.nextName(`${event} listener`);
    const listener = function (this: unknown, ...args: unknown[]) {
      const told = args.map((each) => (each instanceof CustomEvent ? [each.type, each.detail] : each));
      transcript.note(`${name} gets ${transcript.words(told)} on ${transcript.words(this)}`);
      session.reenter();
    };
    this.listeners.push([event, listener]);
    if (!isEmitter(queue)) return (queue as EventTarget).addEventListener(event, listener, { once });
    return queue[once ? "once" : "on"](event as never, listener as never);
  }

  private controller(): AbortController {
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    this.session.transcript.name(controller.signal, "signal");
    return controller;
  }

  /** A queue class of the user's, which sees what p-queue gives it. */
  private queueClass() {
    const { transcript } = this.session;
    return class OwnQueue extends PriorityQueue {
      override enqueue(...args: Parameters<PriorityQueue["enqueue"]>): void {
        transcript.note(`own class: enqueue ${transcript.words(args.slice(1))}`);
        super.enqueue(...args);
      }
    };
  }
}

/** From version 10 on, a queue is an event target instead. */
function isEmitter(queue: PQueue): queue is PQueue {
  return "on" in queue;
}

export const pQueuePlay: Comparison<Config, Op> = {
  config,
  script: scriptOf(op, 60),
  create: (config, side, session) => new PQueueSubject(config, side, session),
};
