import type { Probe } from "../contracts.js";
import type { Core } from "./core.js";

/** What others may see of a queue. */
export function probeOf<T>(core: Core<T>): Probe {
  return {
    tiers: core.tiers,
    now: () => core.clock.now(),
    depth: (tier) => core.store.depth(tier),
    oldestAt: (tier) => core.store.oldestAt(tier),
    headAt: () => core.headAt(),
    get capacity() {
      return core.capacity;
    },
    get delayed() {
      return core.delayed.size;
    },
    get inFlight() {
      return core.inFlight.size;
    },
    get inFlightOldestAt() {
      return core.inFlight.first?.takenAt;
    },
    get pools() {
      return core.pools;
    },
    get waitingPuts() {
      return core.putters.size;
    },
    get waitingGets() {
      return core.getters.size;
    },
  };
}
