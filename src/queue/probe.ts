import type { DropReason, Head, Probe } from "../contracts/index.js";
import type { Core } from "./core.js";
import { attemptOf, carrierOf, type Entry } from "./storage/store.js";

/** What others may see of a queue. */
export function probeOf<T>(core: Core<T>, dropReasons: readonly DropReason[]): Probe {
  return {
    dropReasons,
    tiers: core.tiers,
    now: () => core.clock.now(),
    depth: (tier) => core.store.depth(tier),
    oldestAt: (tier) => core.store.oldestAt(tier),
    unsettledAt: (tier) => core.unsettledAt(tier),
    judgeLate: () => core.unsettled.judgeLate(core.clock.now()),
    headAt: () => core.headAt(),
    heads: (most) => core.store.heads(most).map((entry) => headOf(core, entry)),
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
    *tasks() {
      for (let delivery = core.inFlight.first; delivery !== undefined; delivery = delivery.next) {
        yield { facts: delivery, takenAt: delivery.takenAt, carrier: carrierOf(delivery.tag) };
      }
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

function headOf<T>(core: Core<T>, { item, at, tag, place }: Entry<T>): Head {
  return {
    at: core.isTracked ? at : undefined,
    tier: place.tier,
    attempt: attemptOf(tag),
    correlationId: core.correlationIdOf(tag),
    carrier: carrierOf(tag),
    item,
  };
}
