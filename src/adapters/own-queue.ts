import { type Adapter, type Capability, OBSERVE, type Observable, PROBE } from "../contracts/index.js";

/** Whether the object has our observer hook, be it from this copy of the library or another. */
export function isObservable(queue: object): queue is Observable {
  return typeof (queue as Partial<Observable>)[OBSERVE] === "function";
}

/** What each of them can tell. */
const WITHOUT_DROPS: readonly Capability[] = [
  "pulls",
  "takes",
  "outcomes",
  "durations",
  "retries",
  "dead-letters",
];

/** Our own queues: they have a hook for observers. */
export const ownQueue: Adapter<Observable> = {
  system: "in_process",
  tiersOf: (queue) => queue[PROBE].tiers,
  attach(queue, telemetry) {
    queue[OBSERVE](telemetry);
    const probe = queue[PROBE];
    const capabilities = probe.dropReasons && [...WITHOUT_DROPS, ...probe.dropReasons];
    return { probe, capabilities, detach: () => queue[OBSERVE](undefined) };
  },
};
