import { AsyncResource } from "node:async_hooks";
import { InvalidOptionTypeError } from "../base/errors.js";
import { checkName } from "../base/limits.js";
import { processWide } from "../base/process-wide.js";
import { shown } from "../base/shown.js";
import { warnThat } from "../base/warning.js";
import type { Claimed } from "../contracts/claimant.js";
import type { Claimant, QueueTelemetry } from "../contracts/index.js";
import { type Method, resemble } from "./patch.js";

export type { Claimant } from "../contracts/index.js";

/** By name, which is how a worker and its queue find each other. */
const { claimants, handlers, warned } = processWide;

/** Whether a worker was wrapped by that name. */
export function hasHandler(name: string): boolean {
  return handlers.has(name);
}

/** How many workers a warning names, the latest ones, that may be meant for the queue. */
const MAX_NAMED = 3;

/**
 * A task has waited and its worker isn't wrapped: it was handled in the context of whatever had made room for it, which may be
 * another item's. Counted, and of queues of the name warned of once.
 */
export function lostContext(telemetry: QueueTelemetry): void {
  telemetry.contextLost();
  const { queueName } = telemetry;
  const warning = `unwrapped worker of ${queueName}`;
  if (warned.has(warning)) return;
  warned.add(warning);
  const idle = [...handlers].filter((name) => !claimants.get(name)?.size).slice(-MAX_NAMED);
  const hint =
    idle.length === 0 ? "" : `; no queue is called what these workers are: ${idle.map(quoted).join(", ")}`;
  const name = quoted(queueName);
  warnThat(
    `the worker of the queue ${name} is not wrapped by instrumentHandler(worker, { name: ${name} }): ` +
      "items that had to wait are handled in a context that isn't theirs, with a correlation ID that may be another item's" +
      hint,
  );
}

function quoted(name: string): string {
  return shown(JSON.stringify(name), Number.POSITIVE_INFINITY);
}

function claimantsOf(name: string): Set<WeakRef<Claimant>> {
  let known = claimants.get(name);
  if (known === undefined) {
    known = new Set();
    claimants.set(name, known);
  }
  return known;
}

/** From now on the queue hears of handlers of its name; that doesn't keep it alive. Returns how to end that. */
export function listen(name: string, claimant: Claimant): () => void {
  const known = claimantsOf(name);
  for (const ref of known) if (ref.deref() === undefined) known.delete(ref);
  const ref = new WeakRef(claimant);
  known.add(ref);
  return () => known.delete(ref);
}

/**
 * Wraps a worker that its queue gets at construction, so that each item is handled in the context of its own put, inside its
 * `process` span: `fastq(instrumentHandler(worker, { name: "resize" }), 4)`, and the queue is instrumented by the same name. Arity,
 * `this`, results, errors, when they come, class and `Symbol.toStringTag` stay as they are; only `util.types.isAsyncFunction` sees that
 * an async function is wrapped. Items of other queues are handled as if it weren't there.
 * Throws an `InvalidOption…Error` unless it gets a function and a name.
 *
 * @example
 * import fastq from "fastq";
 *
 * const resize = async (file: string) => console.log(file);
 * const queue = instrument(fastq.promise(instrumentHandler(resize, { name: "resize" }), 4), { name: "resize" });
 * await queue.push("cat.png");
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever the worker takes and returns
export function instrumentHandler<F extends (...args: any[]) => any>(
  handler: F,
  options: { name: string },
): F {
  if (typeof handler !== "function") throw new InvalidOptionTypeError("handler", handler, "a function");
  const name = checkName("name", options?.name);
  handlers.add(name);
  const known = claimantsOf(name);
  const scope = new AsyncResource("queuescope.handler", { requireManualDestroy: true });
  const wrapped: Method = function (this: unknown, ...args: unknown[]) {
    let claimant: Claimant | undefined;
    let task: Claimed | undefined;
    search: for (let surely = known.size > 1; ; surely = false) {
      for (const ref of known) {
        claimant = ref.deref();
        task = claimant?.claim(args[0], surely);
        if (task !== undefined) break search;
      }
      // No queue of the name hands out this item.
      if (!surely) return handler.apply(this, args);
    }
    task.scope = scope;
    const opened = claimant!.open(task, args);
    let result: unknown;
    try {
      // One that calls back at once has all items that wait on one stack, as far as that goes: so nothing else lies between.
      result = opened.scope.runInAsyncScope(handler, this, ...args);
    } catch (error) {
      opened.threw?.(error);
      claimant!.threw(task, error);
      throw error;
    }
    opened.returned?.(result);
    return claimant!.returned(task, result, opened);
  };
  // Queues that know both kinds of worker give no callback to async functions, which they tell by what those inherit. An async
  // function in between would settle a microtask later.
  Object.setPrototypeOf(wrapped, Object.getPrototypeOf(handler));
  return resemble(wrapped, handler) as F;
}
