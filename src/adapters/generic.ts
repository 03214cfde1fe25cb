import { checkKnown, type OptionNames } from "../base/checks.js";
import { systemClock } from "../base/clock.js";
import { InvalidOptionRangeError, InvalidOptionTypeError, NotInstrumentableError } from "../base/errors.js";
import { isPlainPromise, whenAwaited, whenSettled } from "../base/thenable.js";
import type { Adapter, Attachment, Capability, OpenContext, QueueTelemetry } from "../contracts/index.js";
import { ByItem } from "./by-item.js";
import { type Claimant, hasHandler, listen } from "./handler.js";
import { Ledger, prepared, whenOver } from "./ledger.js";
import { type Method, methodOf, patch, type Replace } from "./patch.js";
import { Task } from "./task.js";

/** The names under which an object has what a queue has. */
export interface GenericNames<Name extends string = string> {
  /**
   * A method whose first argument is the item. It may return a promise: the item is in when that resolves. Without `get`, that may as
   * well be what becomes of the task, so the item is in when the method returns. One that throws has refused the item, unless a consumer has
   * taken it within the call, or `size` shows that it is in. An item that was refused and comes out by `get` all the same has been in.
   */
  put: Name;
  /**
   * A method that returns the next item, or a promise of it; undefined or null when there is none. May be left out where the queue
   * calls a worker, and that is wrapped by `instrumentHandler`.
   */
  get?: Name | undefined;
  /** A property, or a method without arguments: how many items wait. Default: puts less gets. */
  size?: Name | undefined;
  /** A method without arguments that shows the next item without taking it. Default: it is not known which one that is. */
  peek?: Name | undefined;
  /** With `callback`, put, get and worker call back `(error, result)`, if their last argument is a function. Default: `return`. */
  style?: "return" | "callback" | undefined;
}

const NAMES: OptionNames<GenericNames> = { put: true, get: true, size: true, peek: true, style: true };

/** Tasks that may be left over before those are forgotten that must have gone by ways we don't see. */
const SLACK = 1_000;
/** Items that may be between `get` and a wrapped worker before we stop waiting for those that never get there. */
const MAX_HANDED = 10_000;
/** Items, the latest, whose put has failed, that are known again if they come out all the same. */
const MAX_REFUSED = 100;

/**
 * An adapter for any object with methods that add and take. Items are recognised by identity, so they must come out as they went
 * in. Throws an `InvalidOption…Error` unless what it gets are names; `instrument` throws `NotInstrumentableError` if the object
 * lacks one of them, or if nothing tells when items are taken. With the object's type, `generic<Desk>({ … })`, the compiler checks the
 * names, too.
 *
 * @example
 * class Desk {
 *   private readonly letters: object[] = [];
 *   enqueue(letter: object): void {
 *     this.letters.push(letter);
 *   }
 *   dequeue(): object | undefined {
 *     return this.letters.shift();
 *   }
 *   get length(): number {
 *     return this.letters.length;
 *   }
 * }
 * const adapter = generic<Desk>({ put: "enqueue", get: "dequeue", size: "length" });
 * const desk = instrument(new Desk(), { name: "desk", adapter });
 * desk.enqueue({ to: "ann" });
 * desk.dequeue();
 */
export function generic<Q extends object = never>(
  names: [Q] extends [never] ? GenericNames : GenericNames<keyof Q & string>,
): Adapter {
  if (typeof names !== "object" || names === null) {
    throw new InvalidOptionTypeError("generic", names, "an object of method names");
  }
  checkKnown(names, NAMES);
  const { put, get, size, peek, style = "return" } = names;
  checkName("put", put);
  for (const [option, name] of Object.entries({ get, size, peek })) {
    if (name !== undefined) checkName(option, name);
  }
  if (style !== "return" && style !== "callback") {
    throw new InvalidOptionRangeError("style", style, '"return" or "callback"');
  }
  return {
    system: "in_process",
    asyncContext: "producer",
    tiersOf: () => ["default"],
    attach: (queue, telemetry) => new GenericAttachment(queue, { ...names, style }, telemetry),
  };
}

function checkName(option: string, name: unknown): void {
  if (typeof name !== "string" || name === "") {
    throw new InvalidOptionTypeError(option, name, "the name of a method");
  }
}

class GenericTask extends Task {
  declare isClaimed: boolean;
  /** Whether its handler has a callback. */
  declare callsBack: boolean;

  constructor(...given: ConstructorParameters<typeof Task>) {
    super(...given);
    this.isClaimed = false;
    this.callsBack = false;
  }
}

class GenericAttachment implements Attachment, Claimant {
  readonly capabilities: Capability[] = ["takes"];
  readonly probe;
  private readonly ledger: Ledger<GenericTask>;
  private readonly waiting = new ByItem<GenericTask>(
    ({ stage }) => stage === "entering" || stage === "waiting",
  );
  /** Taken by `get`, on the way to a wrapped worker. */
  private readonly handed = new ByItem<GenericTask>((task) => task.stage === "running" && !task.isClaimed);
  /** Items that were there before us; they come out without a task, and that is no loss. */
  private strangers: number;
  private readonly refusals: GenericTask[] = [];
  private waitingPuts = 0;
  private waitingGets = 0;
  private readonly restores: (() => void)[] = [];

  constructor(
    private readonly queue: object,
    private readonly names: GenericNames,
    private readonly telemetry: QueueTelemetry,
  ) {
    const { put, get, size, peek } = names;
    if (size !== undefined && !(size in queue)) {
      throw new NotInstrumentableError(`the object has neither a property nor a method "${size}"`);
    }
    if (peek !== undefined) methodOf(queue, peek);
    if (get === undefined && !hasHandler(telemetry.queueName)) {
      const name = JSON.stringify(telemetry.queueName);
      throw new NotInstrumentableError(
        `nothing tells when items are taken: name a method as \`get\`, or wrap the worker by instrumentHandler(worker, { name: ${name} }) first`,
      );
    }
    this.ledger = new Ledger(telemetry, GenericTask);
    this.strangers = this.readSize() ?? 0;
    this.probe = this.ledger.probe({
      size: () => this.readSize() ?? this.ledger.size,
      running: () => (this.capabilities.includes("outcomes") ? this.ledger.running.size : undefined),
      head: () => this.head(),
      waitingPuts: () => (get === undefined ? 0 : this.waitingPuts),
      waitingGets: () => this.waitingGets,
    });
    const methods: Record<string, Replace> = { [put]: this.wrapPut };
    if (get !== undefined) {
      methods[get] = this.wrapGet;
      this.capabilities.push("pulls");
    }
    this.restores.push(patch(queue, methods), listen(telemetry.queueName, this));
  }

  detach(): void {
    // Our methods may still be held elsewhere: from now on they only pass on.
    this.ledger.close();
    for (const restore of this.restores) restore();
  }

  claim(item: unknown, surely: boolean): GenericTask | undefined {
    if (surely) return undefined;
    const task = this.handed.find(item) ?? this.waiting.find(item);
    if (task === undefined) return undefined;
    if (task.stage !== "running") this.take(task);
    task.isClaimed = true;
    this.handed.find(item);
    if (!this.capabilities.includes("outcomes")) this.capabilities.push("outcomes", "durations");
    return task;
  }

  open(task: GenericTask, args: unknown[]): OpenContext {
    const over = (error: unknown) => this.ledger.settle(task, error ? { error } : undefined);
    task.callsBack = this.followCallback(args, 1, over);
    return this.ledger.open(task);
  }

  returned(task: GenericTask, result: unknown, opened: OpenContext): unknown {
    if (task.callsBack) return result;
    return whenOver(prepared(result, opened, "awaited"), (failure) => this.ledger.settle(task, failure));
  }

  threw(task: GenericTask, error: unknown): void {
    this.ledger.settle(task, { error });
  }

  private readonly wrapPut = (original: Method): Method => {
    const attachment = this;
    return function put(this: unknown, ...args: unknown[]) {
      const call = () => original.apply(this, args);
      return attachment.ledger.isOpen ? attachment.put(args, call) : call();
    };
  };

  private put(args: unknown[], original: () => unknown): unknown {
    const { ledger, waiting, refusals } = this;
    const unseen = this.unseen();
    let isIn = false;
    // Before the call, because a consumer that waits may get the item within it.
    const task = ledger.enter(args[0]);
    waiting.add(task);
    const accepted = (tookMs: number) => {
      ledger.entered(task, tookMs);
      this.forgetLeftovers();
    };
    const refused = (error: unknown) => {
      if (isIn) return;
      if (task.stage === "entering" && this.names.get !== undefined) {
        refusals.push(task);
        if (refusals.length > MAX_REFUSED) refusals.shift();
      }
      ledger.refused(task, error);
      // Where a put is over when it returns, it was accepted.
      ledger.lose(task);
      waiting.find(task.item);
    };
    const call = () => {
      let result: unknown;
      try {
        result = original();
      } catch (error) {
        isIn = this.unseen() >= unseen;
        if (isIn) accepted(systemClock.now() - task.at);
        throw error;
      }
      task.isOnStack = false;
      if (this.names.get === undefined) accepted(systemClock.now() - task.at);
      return result;
    };
    return this.follow(args, 1, "waitingPuts", call, accepted, refused);
  }

  private readonly wrapGet = (original: Method): Method => {
    const attachment = this;
    return function get(this: unknown, ...args: unknown[]) {
      const call = () => original.apply(this, args);
      return attachment.ledger.isOpen ? attachment.get(args, call) : call();
    };
  };

  private get(args: unknown[], original: () => unknown): unknown {
    const { telemetry } = this;
    const pull = telemetry.pullStarted();
    return this.follow(
      args,
      0,
      "waitingGets",
      original,
      (tookMs, item) => this.took(item, pull, tookMs),
      (error, tookMs) => telemetry.pullDone(pull, undefined, tookMs, error),
    );
  }

  private took(item: unknown, pull: object | undefined, tookMs: number): void {
    const { telemetry, waiting, ledger, refusals } = this;
    let task = waiting.find(item);
    if (task !== undefined) {
      this.take(task);
      if (hasHandler(telemetry.queueName)) this.handOver(task);
      else ledger.forget(task);
    } else {
      // Both mean that there is no item, unless that very thing was put in.
      if (item === undefined || item === null) return;
      const at = refusals.findIndex((refused) => Object.is(refused.item, item));
      if (at >= 0) {
        task = refusals.splice(at, 1)[0]!;
        telemetry.reentered(0);
      } else if (this.strangers > 0) this.strangers--;
      else telemetry.contextLost();
      telemetry.taken(task?.carrier, 0, task?.at ?? Number.NaN, systemClock.now(), 1);
    }
    telemetry.pullDone(pull, task?.carrier, tookMs);
  }

  /** How many items are in the queue and not in the books; NaN where there is no size. */
  private unseen(): number {
    return this.names.size === undefined ? Number.NaN : (this.readSize() ?? Number.NaN) - this.ledger.size;
  }

  private take(task: GenericTask): void {
    this.ledger.take(task);
    this.waiting.find(task.item);
  }

  /** From `get` to a wrapped worker; it may never get there. */
  private handOver(task: GenericTask): void {
    const { ledger, handed } = this;
    handed.add(task);
    const eldest = ledger.running.first;
    if (ledger.running.size <= MAX_HANDED || eldest === undefined) return;
    ledger.forget(eldest);
    handed.find(eldest.item);
  }

  /** Calls an operation of the queue, tells how it ends, in whichever style, and gives what its caller is to get. */
  private follow(
    args: unknown[],
    firstArgument: number,
    waiting: "waitingPuts" | "waitingGets",
    original: () => unknown,
    succeeded: (tookMs: number, value: unknown) => void,
    failed: (error: unknown, tookMs: number) => void,
  ): unknown {
    const startedAt = systemClock.now();
    const done = (value: unknown) => succeeded(systemClock.now() - startedAt, value);
    const fail = (error: unknown) => failed(error, systemClock.now() - startedAt);
    this[waiting]++;
    let isOver = false;
    const over = (tell: (what: unknown) => void, what: unknown) => {
      if (isOver) return;
      isOver = true;
      this[waiting]--;
      tell(what);
    };
    const callsBack = this.followCallback(args, firstArgument, (error, value) =>
      error ? over(fail, error) : over(done, value),
    );
    let result: unknown;
    try {
      result = original();
    } catch (error) {
      over(fail, error);
      throw error;
    }
    if (callsBack) return result;
    if (isPlainPromise(result) && Reflect.ownKeys(result).length === 0) {
      // Another one like it, because a rejection that is looked at no longer counts as unhandled.
      return result.then(
        (value) => {
          over(done, value);
          return value;
        },
        (error: unknown) => {
          over(fail, error);
          throw error;
        },
      );
    }
    // Anything else is the user's own object, with methods of its own.
    const succeed = (value: unknown) => over(done, value);
    const reject = (error: unknown) => over(fail, error);
    const isHeard = isPlainPromise(result)
      ? whenSettled(result, succeed, reject)
      : whenAwaited(result, succeed, reject) || whenSettled(result, succeed, reject);
    if (!isHeard) over(done, result);
    return result;
  }

  /** In a queue of that style: puts ours before the callback, if there is one. */
  private followCallback(
    args: unknown[],
    firstArgument: number,
    over: (error: unknown, value: unknown) => void,
  ): boolean {
    const last = args.length - 1;
    const callback = args[last];
    if (this.names.style !== "callback" || last < firstArgument || typeof callback !== "function")
      return false;
    args[last] = function (this: unknown, ...results: unknown[]) {
      over(results[0], results[1]);
      return callback.apply(this, results);
    };
    return true;
  }

  /** What left by ways that we don't see (a `clear`, say) must not pile up here. */
  private forgetLeftovers(): void {
    const { ledger } = this;
    if (ledger.size <= SLACK) return;
    const size = this.readSize();
    if (size === undefined) return;
    const most = 2 * size + this.waitingPuts + SLACK;
    for (let eldest = ledger.oldest(); ledger.size > most && eldest !== undefined; eldest = ledger.oldest()) {
      ledger.lose(eldest);
      this.waiting.find(eldest.item);
    }
  }

  private head(): GenericTask | undefined {
    const { peek } = this.names;
    if (peek === undefined) return undefined;
    try {
      return this.waiting.find(methodOf(this.queue, peek).call(this.queue));
    } catch (error) {
      this.telemetry.fault(error);
      return undefined;
    }
  }

  private readSize(): number | undefined {
    const { size } = this.names;
    if (size === undefined) return undefined;
    try {
      const found = (this.queue as Record<string, unknown>)[size];
      const value = typeof found === "function" ? found.call(this.queue) : found;
      return typeof value === "number" ? value : undefined;
    } catch (error) {
      this.telemetry.fault(error);
      return undefined;
    }
  }
}
