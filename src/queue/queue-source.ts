import type { Consumer, PoolView, QueueSource, Work } from "../contracts/index.js";
import type { Accounts } from "./accounts.js";
import type { Core } from "./core.js";
import type { Delivery } from "./delivery.js";
import { healthOf } from "./health.js";
import type { Outlet } from "./outlet.js";
import { GetWaiter } from "./waiters.js";

/** A consumer that stands in line for as long as it likes, without a promise for each wait. */
class Place<T> extends GetWaiter<T> {
  isTaken = false;

  constructor(outlet: Outlet<T>, consumer: Consumer<T>) {
    super(outlet, "delivery", Number.NaN, undefined, undefined);
    this.resolve = (delivery) => {
      this.isTaken = false;
      consumer.take(delivery as Delivery<T>);
    };
    this.reject = () => {
      this.isTaken = false;
      consumer.ended();
    };
  }
}

/** The queue as worker pools see it. */
export function supplyOf<T>(
  core: Core<T>,
  outlet: Outlet<T>,
  accounts: Accounts<T>,
  shutdown: () => void,
): QueueSource<T> {
  const places = new WeakMap<Consumer<T>, Place<T>>();
  let last: { consumer: Consumer<T>; place: Place<T> } | undefined;
  /** Most queues have one consumer of this kind, and a map is looked up for each item otherwise. */
  const placeOf = (consumer: Consumer<T>): Place<T> => {
    if (last?.consumer === consumer) return last.place;
    const place = places.get(consumer) ?? new Place(outlet, consumer);
    places.set(consumer, place);
    last = { consumer, place };
    return place;
  };
  return {
    clock: core.clock,
    get isTimed() {
      return core.tracked;
    },
    get size() {
      return core.store.size;
    },
    get delayed() {
      return core.delayed.size;
    },
    get capacity() {
      return core.capacity;
    },
    get waitingPuts() {
      return core.putters.size;
    },
    get isFinished() {
      return core.isFinished;
    },
    correlationIds: (most) => correlationIds(core, most),
    health: (options) => healthOf(core, options),
    next: (): Work<T> | undefined => outlet.tryDeliver(),
    stand(consumer) {
      const place = placeOf(consumer);
      if (place.isTaken) return;
      place.isTaken = true;
      place.startedAt = core.now();
      core.getters.append(place);
      outlet.endIfFinished();
    },
    leave(consumer) {
      const place = placeOf(consumer);
      if (!place.isTaken) return;
      place.isTaken = false;
      core.getters.remove(place);
    },
    shutdown,
    show(pool: PoolView) {
      // Those that have stopped are still to be seen, until there are others.
      const pools = [...(core.pools ?? [])].filter((other) => other.statuses().length > 0);
      core.pools = new Set([...pools, pool]);
    },
    fault: (error) => accounts.fault(error),
    report: () => core.report(),
  };
}

/** Of the items that come next, those IDs that are known: none is made for a report. */
function correlationIds<T>(core: Core<T>, most: number): string[] {
  const tags = core.store.heads(most).map(({ tag }) => tag);
  for (
    let delayed = core.delayed.first;
    delayed !== undefined && tags.length < most;
    delayed = delayed.next
  ) {
    tags.push(delayed.ticket);
  }
  return tags.map((tag) => core.correlationIdOf(tag)).filter((id) => id !== undefined);
}
