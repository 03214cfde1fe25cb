import type { Carrier, TaskFacts, TaskMonitor } from "../contracts/index.js";
import { spanEnded, spanStarted } from "./sources/spans.js";
import { sampledPlace } from "./stacks.js";
import { TaskContext } from "./task-context.js";

/** Where sampled items were put, by what travels with them. */
const places = new WeakMap<object, Error>();
/** Has there ever been one? */
let hasPlaces = false;

/** What telemetry tells while a watchdog runs. */
export const onlooker: TaskMonitor = {
  put: sampledPlace,

  remember(carrier: object, place: object): void {
    places.set(carrier, place as Error);
    hasPlaces = true;
  },

  begin(task: TaskFacts, carrier: Carrier): TaskFacts {
    // Of one that is frozen nothing can be noted down.
    if (!Object.isExtensible(task)) return task;
    const token = new TaskContext(task);
    const place = hasPlaces && carrier !== undefined ? places.get(carrier) : undefined;
    if (place !== undefined) token.sheet.putAt = place;
    return token;
  },

  returned(store: TaskFacts, result: unknown): void {
    if (store instanceof TaskContext) store.returned(result);
  },

  threw(store: TaskFacts, error: unknown): void {
    if (store instanceof TaskContext) store.threw(error);
  },

  spanStarted,
  spanEnded,
};
