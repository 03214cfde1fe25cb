import { getEventListeners, setMaxListeners } from "node:events";
import PQueue, { PriorityQueue } from "p-queue";
import type { Play } from "./differential.js";
import { asJson, inherited } from "./operation.js";
import { type Config, config, type EVENTS, type Op, op } from "./p-queue-ops.js";
import { carryOut, type Plan } from "./plans.js";
import { type Actor, type Stage, scriptOf } from "./stage.js";
import type { World } from "./worlds.js";

type Event = (typeof EVENTS)[number];

class PQueueActor implements Actor<Op> {
  private readonly queue: PQueue;
  private readonly controllers: AbortController[];
  private readonly listeners: [event: Event, listener: () => void][] = [];
  private readonly sharedTask: () => unknown;

  constructor(
    { options, rate, ownClass }: Config,
    private readonly world: World,
    private readonly stage: Stage<never>,
  ) {
    this.controllers = [this.controller(), this.controller()];
    const queueClass = ownClass ? this.queueClass() : PriorityQueue;
    this.queue = world.queue(new PQueue({ ...options, ...rate, queueClass }));
    stage.chronicle.name(this.queue, "queue");
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
        return controller.abort(this.stage.chronicle.error());
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
      // An own `emit` that is not enumerable hides the inherited one, which is; there is no way around that.
      inherited: inherited(queue).filter((key) => key !== "emit"),
      json: asJson(queue),
      isPQueue: queue instanceof PQueue,
      methods: [queue.add, queue.addAll, queue.clear, queue.setPriority, queue.emit, queue.on, queue.start],
    };
  }

  isIdle(): boolean {
    return this.queue.size + this.queue.pending === 0;
  }

  changeSides(): void {
    this.world.changeSides(this.queue);
  }

  release(): void {
    this.queue.concurrency = 10;
    this.queue.start();
  }

  private task(plan: Plan) {
    const { stage } = this;
    const { chronicle } = stage;
    const name = chronicle.nextName("task");
    return function (this: unknown, ...args: unknown[]) {
      chronicle.note(`${name} starts with ${chronicle.words(args)} on ${chronicle.words(this)}`);
      stage.reenter();
      return carryOut(plan, stage) as Promise<unknown>;
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
    const { queue, stage } = this;
    const { chronicle } = stage;
    const name = chronicle.nextName(`${event} listener`);
    const listener = function (this: unknown, ...args: unknown[]) {
      const told = args.map((each) => (each instanceof CustomEvent ? [each.type, each.detail] : each));
      chronicle.note(`${name} gets ${chronicle.words(told)} on ${chronicle.words(this)}`);
      stage.reenter();
    };
    this.listeners.push([event, listener]);
    if (!isEmitter(queue)) return (queue as EventTarget).addEventListener(event, listener, { once });
    return queue[once ? "once" : "on"](event as never, listener as never);
  }

  private controller(): AbortController {
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    this.stage.chronicle.name(controller.signal, "signal");
    return controller;
  }

  /** A queue class of the user's, which sees what p-queue gives it. */
  private queueClass() {
    const { chronicle } = this.stage;
    return class OwnQueue extends PriorityQueue {
      override enqueue(...args: Parameters<PriorityQueue["enqueue"]>): void {
        chronicle.note(`own class: enqueue ${chronicle.words(args.slice(1))}`);
        super.enqueue(...args);
      }
    };
  }
}

/** From version 10 on, a queue is an event target instead. */
function isEmitter(queue: PQueue): queue is PQueue {
  return "on" in queue;
}

export const pQueuePlay: Play<Config, Op> = {
  config,
  script: scriptOf(op, 60),
  cast: (config, world, stage) => new PQueueActor(config, world, stage),
};
