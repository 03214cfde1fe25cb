import { InvalidOptionTypeError, NotWatchableError } from "../base/errors.js";
import { processWide } from "../base/process-wide.js";
import { readSla } from "../base/sla.js";
import { QUEUE_SOURCE, type Report, type SlaTarget, type Watchable } from "../contracts/index.js";

/** What every copy of this library has instrumented. */
const { instrumented } = processWide;

/** The queues that `watch` means by its argument, and the object that they belong to. Throws `NotWatchableError` where there are none. */
export function subjectOf(queueOrPool: unknown): {
  readonly queue: object;
  readonly watchables: readonly Watchable[];
} {
  if ((typeof queueOrPool !== "object" || queueOrPool === null) && typeof queueOrPool !== "function") {
    const allowed = "an instrumented queue, or a pool that works on one";
    throw new InvalidOptionTypeError("queueOrPool", queueOrPool, allowed);
  }
  const queue = instrumented.has(queueOrPool) ? queueOrPool : (queueOrPool as { queue?: object }).queue;
  const watchables = queue === undefined ? undefined : instrumented.get(queue)?.watchables;
  if (queue === undefined || watchables === undefined || watchables.length === 0)
    throw new NotWatchableError();
  return { queue, watchables };
}

/** Whether the queue is still instrumented, and has not been anew. */
export function isStill(queue: object, watchable: Watchable): boolean {
  return instrumented.get(queue)?.watchables.includes(watchable) === true;
}

/** The SLA of a queue by tier. Throws an `InvalidOption…Error` for a tier that the queue can't have. */
export function readSlaFor(watchable: Watchable, sla: unknown): ReadonlyMap<string, SlaTarget> {
  const known = [...new Set([...watchable.probe.tiers, "default"])];
  return readSla(sla, (tier) => known.includes(tier) || watchable.mayHaveTier?.(tier) === true, known);
}

type Answer = () => Report | undefined;

/**
 * Lets a queue ask for a report when a join or drain of it times out; of several answers the first report counts. `answer` must not throw.
 * Nothing is written on the queue, which may be frozen. Returns the function that ends it.
 */
export function answerFor(queue: object, answer: Answer): () => void {
  // Other queues don't ask.
  if (!(QUEUE_SOURCE in queue)) return () => {};
  const { reports } = processWide;
  const all = reports.get(queue) ?? new Set();
  reports.set(queue, all);
  all.add(answer);
  return () => {
    all.delete(answer);
    if (all.size === 0) reports.delete(queue);
  };
}
