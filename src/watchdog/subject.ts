import { InvalidOptionTypeError, NotWatchableError } from "../base/errors.js";
import { processWide } from "../base/process-wide.js";
import { readSla } from "../base/sla.js";
import type { SlaTarget, Watchable } from "../contracts/index.js";

/** What every copy of this library has instrumented. */
const { instrumented } = processWide;

/** What is watched when somebody gives this to `watch`. Throws `NotWatchableError` if that is nothing. */
export function subjectOf(queueOrPool: unknown): { readonly queue: object; readonly watchable: Watchable } {
  if ((typeof queueOrPool !== "object" || queueOrPool === null) && typeof queueOrPool !== "function") {
    const allowed = "an instrumented queue, or a pool that works on one";
    throw new InvalidOptionTypeError("queueOrPool", queueOrPool, allowed);
  }
  const queue = instrumented.has(queueOrPool) ? queueOrPool : (queueOrPool as { queue?: object }).queue;
  const watchable = queue === undefined ? undefined : instrumented.get(queue)?.watchable;
  if (queue === undefined || watchable === undefined) throw new NotWatchableError();
  return { queue, watchable };
}

/** Is it still instrumented, and not anew? */
export function isStill(queue: object, watchable: Watchable): boolean {
  return instrumented.get(queue)?.watchable === watchable;
}

/** Throws an `InvalidOption…Error` for a tier that the queue can't have. */
export function readSlaFor(watchable: Watchable, sla: unknown): ReadonlyMap<string, SlaTarget> {
  const known = [...new Set([...watchable.probe.tiers, "default"])];
  return readSla(sla, (tier) => known.includes(tier) || watchable.mayHaveTier?.(tier) === true, known);
}
