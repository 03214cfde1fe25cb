import { type Adapter, OBSERVE, type Observable, PROBE } from "../contracts/index.js";

/** Does the object have our observer hook, be it from this copy of the library or another? */
export function isObservable(queue: object): queue is Observable {
  return typeof (queue as Partial<Observable>)[OBSERVE] === "function";
}

/** Our own queues: they have a hook for observers. */
export const ownQueue: Adapter<Observable> = {
  system: "in_process",
  tiersOf: (queue) => queue[PROBE].tiers,
  attach(queue, telemetry) {
    queue[OBSERVE](telemetry);
    return { probe: queue[PROBE], detach: () => queue[OBSERVE](undefined) };
  },
};
